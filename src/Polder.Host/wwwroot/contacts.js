// Polder, the page Contacts: the camera, photographs, and links with an invitation behind the #.
"use strict";
(() => {
  const SIDE_MAX = 1600;         // pixels of a photograph that are kept: plenty for any code
  const LOOK_MS = 400;
  const form = document.getElementById("scan-form");
  const file = document.getElementById("add-picture");
  const text = document.getElementById("add-text");
  const camera = document.getElementById("camera");
  const view = document.getElementById("camera-view");
  const says = document.getElementById("camera-says");

  // "http://127.0.0.1:8095/join#peer:…": the invitation is filled in; whoever reads decides.
  const invitation = decodeURIComponent(location.hash.slice(1));
  if (text && /^peer:/i.test(invitation)) {
    text.value = invitation;
    history.replaceState(null, "", location.pathname);
    document.getElementById("add").scrollIntoView();
    text.focus();
  }
  if (!form || !file || !camera) return;

  function tell(sentence) {
    says.hidden = !sentence;
    says.textContent = sentence;
  }

  // The node reads PNG only: the browser turns everything else into it.
  async function png(source, width, height) {
    const scale = Math.min(1, SIDE_MAX / Math.max(width, height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    canvas.getContext("2d").drawImage(source, 0, 0, canvas.width, canvas.height);
    return new Promise(done => canvas.toBlob(done, "image/png"));
  }

  file.addEventListener("change", async () => {
    const chosen = file.files[0];
    if (!chosen) return;
    try {
      const picture = await createImageBitmap(chosen);
      const blob = await png(picture, picture.width, picture.height);
      const list = new DataTransfer();
      list.items.add(new File([blob], "picture.png", { type: "image/png" }));
      file.files = list.files;
      tell("");
    } catch {
      tell("This file is no picture that the browser can read.");
    }
  });

  // ── the camera ──

  const canSee = navigator.mediaDevices && navigator.mediaDevices.getUserMedia;
  camera.hidden = false;
  let stream = null;

  function close() {
    if (stream) stream.getTracks().forEach(track => track.stop());
    stream = null;
    view.hidden = true;
    view.srcObject = null;
    camera.textContent = "Use the camera";
  }

  function found(code) {
    close();
    text.value = code;
    document.getElementById("add-name").value = document.getElementById("picture-name").value;
    text.form.querySelector("[name=verified]").checked = form.querySelector("[name=verified]").checked;
    tell("");
    text.scrollIntoView({ block: "center" });
    text.focus();
  }

  // Where the browser reads codes itself it does; else every picture goes to the own node, on this machine.
  async function look(detector) {
    if (detector) {
      const codes = await detector.detect(view);
      return codes.length > 0 ? codes[0].rawValue : "";
    }
    const body = new FormData();
    body.append("picture", await png(view, view.videoWidth, view.videoHeight), "picture.png");
    const answer = await fetch("/contacts/read", { method: "POST", body });
    return answer.ok ? answer.text() : "";
  }

  async function watch(detector) {
    while (stream) {
      try {
        const code = view.videoWidth > 0 ? await look(detector) : "";
        if (code && stream) { found(code); return; }
      } catch { detector = null; }
      await new Promise(done => setTimeout(done, LOOK_MS));
    }
  }

  camera.addEventListener("click", async () => {
    if (stream) { close(); return; }
    if (!canSee) { tell("This browser gives no page a camera. Choose a picture of the code instead."); return; }
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch (problem) {
      tell(problem.name === "NotAllowedError" ? "The camera was not allowed. Allow it in the browser, or choose a picture of the code instead."
        : "No camera was found. Choose a picture of the code instead.");
      return;
    }
    tell("");
    view.srcObject = stream;
    view.hidden = false;
    camera.textContent = "Stop the camera";
    await view.play();
    let detector = null;
    try { if ("BarcodeDetector" in window) detector = new BarcodeDetector({ formats: ["qr_code"] }); } catch { detector = null; }
    watch(detector);
  });
  addEventListener("pagehide", close);
})();
