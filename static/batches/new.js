// Of all executors, the settings of the chosen one are shown.
const chosen = document.getElementById("id_executor");
function showSettings() {
    for (const one of document.querySelectorAll("[data-executor]")) one.hidden = one.dataset.executor !== chosen.value;
}
chosen.addEventListener("change", showSettings);
showSettings();
