// The download is of what is shown, and the next filter keeps the order of the list.
document.addEventListener("htmx:afterSettle", () => {
    const link = document.getElementById("export");
    if (link) {
        const address = new URL(link.href);
        address.search = location.search;
        link.href = address;
    }
    const asked = new URLSearchParams(location.search);
    for (const hidden of document.querySelectorAll("#filters [type=hidden]")) {
        hidden.value = asked.get(hidden.name) ?? "";
    }
});
