// The list of open orders renews itself; when it cannot, it says so, and what is there stays.

document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (detail.elt.id !== "filters") return;
    // Filters that say nothing do not stand in the address.
    for (const [name, value] of [...detail.formData]) if (!value) detail.formData.delete(name);
});

// The download is of what is shown, and the next filter keeps the order of the list.
document.addEventListener("htmx:afterSettle", () => {
    const link = document.getElementById("export");
    const address = new URL(link.href);
    address.search = location.search;
    link.href = address;
    const asked = new URLSearchParams(location.search);
    for (const hidden of document.querySelectorAll("#filters [type=hidden]")) {
        hidden.value = asked.get(hidden.name) ?? "";
    }
});
document.addEventListener("htmx:afterOnLoad", () => document.getElementById("trouble").replaceChildren());

function sayNotLoaded({ detail: { xhr } }) {
    const why = xhr?.status ? `the server answered ${xhr.status}` : "the server did not answer";
    const words = document.createElement("p");
    words.textContent = `Could not load the open orders: ${why}. What is shown is not up to date.`;
    document.getElementById("trouble").replaceChildren(words);
}
for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, sayNotLoaded);
}
