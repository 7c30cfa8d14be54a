// The check by a service of somebody else that the server asks for where there are many requests. It is made in a window of
// its own that knows of no other: the scripts of that service see nothing of this page, whose policy lets none in. What
// comes back, by a channel whose name nobody else knows, is good for one request.

import { t } from "./language.js";
import { put } from "./views.js";

const PAGE = new URL("../api/v1/human-check", import.meta.url).href;
const NAMES = { turnstile: "Cloudflare Turnstile", hcaptcha: "hCaptcha" };

// What is sent with the request that was refused; null where the visitor does not want to, or his browser is too old.
export async function solve({ service }) {
  if (!("BroadcastChannel" in window)) return null;
  const id = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const channel = new BroadcastChannel(`otpgate-check-${id}`);
  const { dialog, cancel } = build(`${PAGE}#${id}`, NAMES[service] ?? service);
  return new Promise((resolve) => {
    channel.addEventListener("message", ({ data }) => {
      if (typeof data !== "string") return;
      channel.postMessage(true); // Its window may close.
      resolve({ captcha_token: data });
      dialog.close();
    });
    dialog.addEventListener("close", () => {
      resolve(null);
      dialog.remove();
      setTimeout(() => channel.close()); // What was just said is still heard.
    });
    cancel.addEventListener("click", () => dialog.close());
    document.body.append(dialog);
    dialog.showModal();
  });
}

function build(url, name) {
  const dialog = document.createElement("dialog");
  const title = document.createElement("h2");
  title.id = "human-title";
  dialog.setAttribute("aria-labelledby", title.id);
  put(title, () => t("Please show that you are a human"));
  const lead = document.createElement("p");
  lead.className = "lead";
  put(lead, () => t("There were many requests. {name} checks you in a window of its own, and learns your address and what your browser tells. Then you go on here.", { name }));
  const link = document.createElement("a");
  link.className = "primary";
  Object.assign(link, { href: url, target: "_blank", rel: "noopener" });
  put(link, () => t("Open the check"));
  const cancel = document.createElement("button");
  cancel.type = "button";
  put(cancel, () => t("Cancel"));
  dialog.append(title, lead, link, cancel);
  return { dialog, cancel };
}
