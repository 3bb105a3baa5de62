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
