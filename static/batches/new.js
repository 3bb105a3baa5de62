// Of all executors, the settings of the chosen one are shown.
const chosen = document.getElementById("id_executor");
function showSettings() {
    for (const one of document.querySelectorAll("[data-executor]")) one.hidden = one.dataset.executor !== chosen.value;
}
chosen.addEventListener("change", showSettings);
showSettings();

// A new preview leaves open what was opened.
let isOpen = false;
document.addEventListener("htmx:beforeSwap", () => {
    isOpen = document.querySelector("details.tl-mapping")?.open ?? false;
});
document.addEventListener("htmx:afterSwap", () => {
    const mapping = document.querySelector("details.tl-mapping");
    if (mapping && isOpen) mapping.open = true;
});
