// The page on which a service of somebody else checks the visitor, by a script of its own. What that gives is handed to the
// page of ours that asked, by a channel that the address of this one names; then this window is of no use any more.

const box = document.getElementById("check");

function show(id) {
  document.getElementById("done").hidden = id !== "done";
  document.getElementById("failed").hidden = id !== "failed";
}

function handOver(token) {
  show("done");
  const channel = new BroadcastChannel(`otpgate-check-${location.hash.slice(1)}`);
  channel.addEventListener("message", () => window.close());
  channel.postMessage(token);
}

if (!("BroadcastChannel" in window)) show("failed");

// A script that does not come. The event stays at its element, on the way down to it.
addEventListener("error", ({ target }) => target instanceof HTMLScriptElement && show("failed"), true);

// By the service's script, whose API is named as the service is. Those that there are have the same one.
window.begin = () => window[box.dataset.service].render(box, {
  sitekey: box.dataset.siteKey,
  action: box.dataset.action,
  callback: handOver,
  "error-callback": () => {
    show("failed");
    return true;
  },
});
