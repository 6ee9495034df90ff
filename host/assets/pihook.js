// Makes the pages live. Without it they work and reload themselves.
"use strict";

// A service's page is loaded anew when the service's status has changed.
(() => {
  const page = document.querySelector("main[data-service]");
  if (!page) return;
  const { service, status } = page.dataset;
  new EventSource("../events").addEventListener("news", (event) => {
    for (const html of JSON.parse(event.data).rows) {
      const template = document.createElement("template");
      template.innerHTML = html;
      const row = template.content.firstElementChild;
      if (row.id === `s-${service}` && row.dataset.status !== status) location.reload();
    }
  });
})();

// The status page.
(() => {
  const live = document.getElementById("live");
  const head = () => document.getElementById("head");
  const form = document.querySelector("form.filter");
  if (!live || !form) return;

  // The server has escaped all that it sends; a template runs nothing of it.
  const element = (html) => {
    const template = document.createElement("template");
    template.innerHTML = html;
    return template.content.firstElementChild;
  };

  const matches = (row) => {
    const text = form.q.value.trim().toLowerCase();
    const { zone, status, name } = row.dataset;
    return (!form.zone.value || form.zone.value === zone)
      && (!form.status.value || form.status.value === status)
      && (!text || name.toLowerCase().includes(text) || zone.toLowerCase().includes(text));
  };

  const filter = () => {
    let shown = 0;
    for (const section of document.querySelectorAll("section.zone")) {
      let here = 0;
      for (const row of section.querySelectorAll("tbody tr")) {
        row.hidden = !matches(row);
        here += row.hidden ? 0 : 1;
      }
      section.hidden = here === 0;
      shown += here;
    }
    document.getElementById("nothing").hidden = shown > 0;
  };

  // A page that the server has filtered lacks rows, so the whole one is fetched before filtering goes on here.
  const whole = location.search === "";
  form.addEventListener("submit", (event) => {
    if (whole) { event.preventDefault(); filter(); }
  });
  if (whole) {
    form.querySelector("button").hidden = true;
    form.addEventListener("input", filter);
    filter();
  }

  const replace = (html) => {
    const fresh = element(html);
    const old = fresh && document.getElementById(fresh.id);
    if (!old) return;
    if (fresh.dataset.status && fresh.dataset.status !== old.dataset.status) fresh.classList.add("news");
    if (whole && fresh.id !== "head") fresh.hidden = !matches(fresh);
    old.replaceWith(fresh);
  };

  let failures = 0;
  const connect = () => {
    const source = new EventSource("events");
    source.addEventListener("open", () => { failures = 0; live.textContent = "live"; });
    source.addEventListener("news", (event) => {
      const { now, now_utc, head: top, rows } = JSON.parse(event.data);
      if (top) replace(top);
      rows.forEach(replace);
      const time = document.getElementById("now");
      time.textContent = now;
      time.dateTime = now_utc;
      if (whole) filter();
    });
    // Services came or went, or too much was missed.
    source.addEventListener("anew", () => location.reload());
    source.addEventListener("error", () => {
      source.close();
      live.textContent = "not connected; trying again";
      failures += 1;
      setTimeout(connect, Math.min(30, 2 ** failures) * 1000);
    });
  };
  connect();
})();
