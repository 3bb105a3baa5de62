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
async function refresh(part) {
    let fresh;
    try {
        const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
        if (answer.ok && !answer.redirected) {
            const page = new DOMParser().parseFromString(await answer.text(), "text/html");
            fresh = page.getElementById(part.id);
        }
    } catch {} // the server may be starting again; the next time will tell
    if (fresh && !fresh.dataset.refresh) return location.reload();
    if (fresh && !part.contains(document.activeElement)) part.replaceChildren(...fresh.children);
    setTimeout(refresh, 1000 * part.dataset.refresh, part);
}
document.addEventListener("DOMContentLoaded", () => {
    for (const part of document.querySelectorAll("[data-refresh]")) {
        setTimeout(refresh, 1000 * part.dataset.refresh, part);
    }
});
