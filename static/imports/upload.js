// Files that are chosen, or dropped anywhere on the page, are sent one after the other, each with a
// bar of its own. Without this script the form sends them all at once.
import { refresh } from "./list.js";

const upload = document.getElementById("upload");

async function sendAll(files) {
    for (const file of files) await send(file, document.createElement("li"));
    refresh();
}

function send(file, line) {
    const bar = document.createElement("progress");
    const words = document.createElement("span");
    const name = document.createElement("bdi");
    bar.max = 1;
    bar.value = 0;
    bar.ariaLabel = `Sending ${file.name}`;
    name.textContent = file.name;
    line.replaceChildren(name, " ", bar, words);
    document.getElementById("sent").append(line);
    return new Promise((done) => {
        const request = new XMLHttpRequest();
        request.upload.addEventListener("progress", (event) => (bar.value = event.loaded / event.total));
        request.addEventListener("loadend", () => {
            tell(request, file, line, words);
            bar.remove();
            done();
        });
        const data = new FormData(upload);
        data.set("files", file, file.name);
        request.open("POST", upload.action);
        request.setRequestHeader("HX-Request", "true"); // for a script, not for a page
        request.send(data);
    });
}

function tell(request, file, line, words) {
    if (request.status === 202) {
        const [received] = JSON.parse(request.responseText).imports;
        const link = document.createElement("a");
        link.className = "tl-link";
        link.href = received.url;
        link.textContent = received.words;
        if (received.is_received) link.dataset.row = `import-${received.id}`;
        line.classList.toggle("tl-trouble", !received.is_received);
        return words.append(link);
    }
    line.classList.add("tl-trouble");
    words.append(reason(request));
    const again = document.createElement("button");
    again.type = "button";
    again.className = "tl-button tl-small";
    again.textContent = "Try again";
    again.addEventListener("click", () => {
        line.classList.remove("tl-trouble");
        send(file, line).then(refresh);
    });
    line.append(" ", again);
}

// What was received and has ended meanwhile shows what became of it.
function tellOutcomes({ detail: page }) {
    for (const link of document.querySelectorAll("#sent [data-row]")) {
        const row = page.getElementById(link.dataset.row);
        if (!row || row.matches(".tl-is-active")) continue;
        link.replaceChildren(document.importNode(row.querySelector(".tl-status > *"), true));
        const count = (name) => row.querySelector(`.tl-${name}_rows`).textContent;
        const counts = `${count("success")} taken in, ${count("skipped")} known`;
        link.append(` ${row.dataset.why ?? counts}`);
        delete link.dataset.row;
    }
}
document.addEventListener("imports:loaded", tellOutcomes);

function reason(request) {
    if (request.status === 400 && request.getResponseHeader("Content-Type") === "application/json") {
        return JSON.parse(request.responseText).errors.join(" ");
    }
    const known = {
        0: "could not be sent: the server did not answer, or the file has changed.",
        401: "was not sent: you have been logged out.",
        403: "was refused: you may not import files, or this page was open for too long.",
        413: "is too large for this server.",
    };
    return known[request.status] ?? `could not be sent: the server answered ${request.status}.`;
}

if (upload) {
    upload.addEventListener("submit", (event) => {
        event.preventDefault();
        const input = document.getElementById("id_files");
        sendAll([...input.files]);
        input.value = "";
    });
    for (const name of ["dragover", "dragleave", "drop"]) {
        document.addEventListener(name, (event) => {
            if (!event.dataTransfer.types.includes("Files")) return;
            event.preventDefault();
            upload.classList.toggle("tl-over", name === "dragover");
            if (name === "drop") sendAll([...event.dataTransfer.files]);
        });
    }
}
