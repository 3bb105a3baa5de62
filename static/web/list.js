// What every list with filters does: filters that say nothing do not stand in the address, and what
// could not be loaded is said, while what is there stays.
const trouble = () => document.getElementById("trouble");

document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (detail.elt.id !== "filters") return;
    for (const [name, value] of [...detail.formData]) if (!value) detail.formData.delete(name);
});

function again(elt) {
    if (elt.matches("a, button")) elt.click();
    else htmx.trigger(elt, elt.id === "filters" ? "submit" : "renew"); // a part that renews itself
}

function sayNotLoaded({ detail: { requestConfig: { elt }, xhr } }) {
    const why = xhr?.status ? `the server answered ${xhr.status}` : "the server did not answer";
    const text = document.createElement("p");
    text.textContent = `Could not load this: ${why}.`;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "tl-button tl-small";
    button.textContent = "Try again";
    button.addEventListener("click", () => again(elt));
    trouble().replaceChildren(text, button);
}
for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, sayNotLoaded);
}
// htmx says it of every answer, also of one that tells of trouble.
document.addEventListener("htmx:afterOnLoad", ({ detail: { successful } }) => {
    if (successful) trouble().replaceChildren();
});
