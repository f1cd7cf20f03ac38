// What the console gains from a script. Every page works without it.
(() => {
  "use strict";
  const root = document.documentElement;
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];

  if (!window.htmx) root.dataset.plain = "";

  const setTheme = (theme) => {
    root.dataset.theme = theme;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
    showTheme(theme);
  };
  const showTheme = (theme) => {
    for (const button of $$("[data-set-theme]")) button.setAttribute("aria-pressed", String(button.dataset.setTheme === theme));
  };

  const toast = (text, kind = "bad") => {
    const template = $("#toast-shape");
    const place = $("#toasts");
    if (!template || !place) return;
    const made = template.content.firstElementChild.cloneNode(true);
    made.classList.add(kind);
    $("p", made).textContent = text;
    place.append(made);
    watch(made);
  };

  // A toast that only tells goes by itself, but never while it is read or holds an act.
  const watch = (shown) => {
    if (shown.dataset.watched || shown.classList.contains("bad")) return;
    shown.dataset.watched = "";
    const wait = $("form", shown) ? 12000 : 6000;
    const leave = () => (shown.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : shown.remove());
    setTimeout(leave, wait);
  };

  const copy = async (button) => {
    const from = document.getElementById(button.dataset.copy);
    if (!from) return;
    try {
      await navigator.clipboard.writeText(from.textContent.trim());
      toast("Copied.", "info");
    } catch {
      getSelection().selectAllChildren(from);
      toast("Select it and copy it by hand: the browser did not allow it.");
    }
  };

  const palette = $("#palette");
  const openPalette = () => {
    if (!palette || palette.open) return;
    palette.showModal();
    const input = $("input", palette);
    input.value = "";
    filterPalette();
    input.focus();
  };
  const filterPalette = () => {
    const words = $("input", palette).value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const item of $$("li", palette)) {
      const text = item.textContent.toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
      shown += item.hidden ? 0 : 1;
    }
    $("[data-none]", palette).hidden = shown > 0;
  };
  const movePalette = (event) => {
    const links = $$("li:not([hidden]) a", palette);
    const at = links.indexOf(document.activeElement);
    if (event.key === "ArrowDown") (links[at + 1] ?? links[0])?.focus();
    else if (event.key === "ArrowUp") (at > 0 ? links[at - 1] : $("input", palette)).focus();
    else if (event.key === "Enter" && at < 0 && links[0]) links[0].click();
    else return;
    event.preventDefault();
  };
  palette?.addEventListener("input", filterPalette);
  palette?.addEventListener("keydown", movePalette);
  palette?.addEventListener("click", (event) => event.target === palette && palette.close());

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      openPalette();
    } else if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      const search = $("main input[type=search]");
      if (search) search.select();
      else openPalette();
    } else if (/^Arrow(Up|Down)$/.test(event.key) && event.target.closest(".menu")) {
      const items = $$("a, button", event.target.closest(".menu")).filter((item) => item.checkVisibility());
      const step = event.key === "ArrowDown" ? 1 : -1;
      items.at((items.indexOf(event.target) + step) % items.length)?.focus();
      event.preventDefault();
    }
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button, a");
    if (!button) return;
    if (button.matches("[data-dismiss]")) button.closest(".toast")?.remove();
    else if (button.matches("[data-copy]")) copy(button);
    else if (button.matches("[data-palette]")) openPalette();
    else if (button.matches("[data-set-theme]")) setTheme(button.dataset.setTheme);
  });

  // A second click while the first is under way would only hide its answer.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.hasAttribute("hx-post") || form.method === "get") return;
    if (form.dataset.sent !== undefined) return event.preventDefault();
    form.dataset.sent = "";
    form.setAttribute("aria-busy", "true");
  });
  // A page that the browser kept may be sent again.
  addEventListener("pageshow", () => {
    for (const form of $$("form[data-sent]")) {
      delete form.dataset.sent;
      form.removeAttribute("aria-busy");
    }
  });

  // Opening a menu puts the focus on its first act.
  document.addEventListener("toggle", (event) => {
    if (event.newState === "open" && event.target.matches(".menu")) $("a, button", event.target)?.focus({ preventScroll: true });
  }, true);

  // A slug is proposed from the name until someone types one.
  for (const slug of $$("[data-slug-of]")) {
    const name = document.getElementById(slug.dataset.slugOf);
    slug.addEventListener("input", () => delete slug.dataset.slugOf);
    name?.addEventListener("input", () => {
      if (!slug.dataset.slugOf) return;
      slug.value = name.value.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40);
    });
  }

  document.addEventListener("htmx:beforeRequest", (event) => {
    const link = event.target.closest("[data-expands]");
    if (link?.getAttribute("aria-expanded") !== "true") return;
    event.preventDefault();
    $(link.getAttribute("hx-target")).replaceChildren();
    link.setAttribute("aria-expanded", "false");
  });
  let focused = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    focused = document.activeElement?.id || null;
    // A conflict that brings the thing as it is now is shown; one that only says why places nothing.
    const { xhr } = event.detail;
    if (xhr.status !== 409 || xhr.getResponseHeader("hx-reswap") === "none") return;
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    event.detail.requestConfig?.elt?.closest?.("[data-expands]")?.setAttribute("aria-expanded", "true");
  });
  document.addEventListener("htmx:afterSettle", () => {
    // A swapped row loses the focus: give it back to the same control.
    if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus();
    $$(".toast").forEach(watch);
  });
  document.addEventListener("htmx:responseError", (event) => {
    const answer = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
    const said = $(".toast p, [data-what]", answer)?.textContent.trim();
    toast(said || `That did not work (${event.detail.xhr.status}). Load the page again and try once more.`);
    event.target.closest("form")?.reset();
  });
  document.addEventListener("htmx:sendError", (event) => {
    toast("The server could not be reached. Nothing was changed that you have not been told of.");
    event.target.closest("form")?.reset();
  });

  if (window.htmx) for (const link of $$("[data-expands]")) link.setAttribute("aria-expanded", "false");
  showTheme(root.dataset.theme || "system");
  $$(".toast").forEach(watch);
  $("[aria-invalid=true]")?.focus();
})();
