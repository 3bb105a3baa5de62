// The styles of its indicators would stand in the page, where only those of our own files may.
htmx.config.includeIndicatorStyles = false;

// A form that takes its time says so, and is sent once.
document.addEventListener("submit", (event) => {
    const words = event.target.dataset.busy;
    const button = event.submitter ?? event.target.querySelector("button");
    if (!words || !button) return;
    button.textContent = words;
    button.setAttribute("aria-busy", "true");
    // After the browser has read the form: a disabled button would not be sent.
    setTimeout(() => (button.disabled = true));
});
// Coming back with the browser's button, the form can be used again.
window.addEventListener("pageshow", (event) => event.persisted && location.reload());

// The shell hides the page until its scripts run; a field cannot be focused before that.
document.addEventListener("alpine:initialized", () => {
    Alpine.nextTick(() => {
        const field = document.querySelector("[autofocus]");
        if (field && document.activeElement === document.body) field.focus();
    });
});

// A form that was asked for beside the page opens over it; Escape, or its own button, closes it.
document.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
    const dialog = target.id === "modal-content" && target.closest("dialog");
    if (dialog && !dialog.open) dialog.showModal();
});
document.addEventListener("click", (event) => {
    const dialog = event.target.closest("[data-close]")?.closest("dialog");
    if (!dialog) return;
    event.preventDefault();
    dialog.close();
});

// What is going on is shown as it goes on, without losing what the user has opened or begun; when it
// is over, the page as a whole is new.
async function refresh(id) {
    const address = location.href;
    let fresh;
    try {
        const answer = await fetch(address, { headers: { Accept: "text/html" } });
        if (answer.ok && !answer.redirected) {
            const page = new DOMParser().parseFromString(await answer.text(), "text/html");
            fresh = page.getElementById(id);
        }
    } catch {} // the server may be starting again; the next time will tell
    // Meanwhile another may stand in its place, as of a list with other filters.
    const part = document.getElementById(id);
    if (fresh && !fresh.dataset.refresh) return location.reload();
    const isInUse = part.contains(document.activeElement) || location.href !== address;
    if (fresh && !isInUse && part.innerHTML !== fresh.innerHTML) {
        part.replaceChildren(...fresh.children);
        htmx.process(part);
    }
    setTimeout(refresh, 1000 * part.dataset.refresh, id);
}
document.addEventListener("DOMContentLoaded", () => {
    for (const part of document.querySelectorAll("[data-refresh]")) {
        setTimeout(refresh, 1000 * part.dataset.refresh, part.id);
    }
});
