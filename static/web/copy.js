// A button that copies what stands in the field that it names, and says beside it whether it has.
document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copies]");
    if (!button) return;
    const field = document.getElementById(button.dataset.copies);
    field.select();
    let isCopied = true;
    try {
        await navigator.clipboard.writeText(field.value);
    } catch {
        // Without TLS there is no clipboard for scripts, but what is selected can be copied.
        isCopied = document.execCommand("copy");
    }
    document.getElementById(`${field.id}-copied`).textContent = isCopied ? "Copied." : "Selected: copy it by hand.";
});
