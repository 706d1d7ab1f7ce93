(function () {
  var page = document, root = page.documentElement;
  root.classList.add("js");
  var all = function (selector) { return Array.prototype.slice.call(page.querySelectorAll(selector)); };
  var theme = page.getElementById("theme");
  theme.hidden = false;
  theme.addEventListener("click", function () {
    var dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme:dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    theme.textContent = dark ? "Dark theme" : "Light theme";
  });
  var filters = all("[data-filter]"), rows = all(".find > tbody > tr.r");
  var apply = function () {
    var shown = 0;
    rows.forEach(function (row) {
      var under = row.nextElementSibling && row.nextElementSibling.classList.contains("ev") ? row.nextElementSibling : null;
      var fits = filters.every(function (filter) {
        var wanted = filter.value.toLowerCase();
        if (!wanted) { return true; }
        if (filter.dataset.filter !== "text") { return row.dataset[filter.dataset.filter] === wanted; }
        return (row.textContent + (under ? under.textContent : "")).toLowerCase().indexOf(wanted) >= 0;
      });
      row.hidden = !fits;
      if (under) { under.hidden = !fits; }
      shown += fits ? 1 : 0;
    });
    all("[data-count]").forEach(function (count) { count.textContent = shown + " of " + rows.length + " findings"; });
  };
  filters.forEach(function (filter) { filter.addEventListener("input", apply); });
  apply();
  all("[data-open]").forEach(function (button) {
    button.addEventListener("click", function () {
      var open = button.getAttribute("aria-pressed") !== "true";
      all(".find details").forEach(function (each) { each.open = open; });
      button.setAttribute("aria-pressed", String(open));
      button.textContent = open ? "Close all evidence" : "Open all evidence";
    });
  });
  var was = [];
  addEventListener("beforeprint", function () {
    was = all("details").map(function (each) { return each.open; });
    all("details").forEach(function (each) { each.open = true; });
  });
  addEventListener("afterprint", function () {
    all("details").forEach(function (each, at) { each.open = was[at]; });
  });
})();
