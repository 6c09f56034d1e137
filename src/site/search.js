// Finds names, comments and papers in MINIMA, the list of [name, kind, address, text]. A word may have a slip.
"use strict";
(() => {
  const root = document.documentElement.dataset.root;
  const box = document.querySelector(".search input");
  const list = document.querySelector(".results");
  const MOST = 14;
  const words = (text) => text.toLowerCase().normalize("NFKD").replace(/[\u0300-\u036f]/g, "").match(/[\p{L}\p{N}]+/gu) || [];
  let entries = null;
  let chosen = -1;

  // The fewest letters to insert, leave out, change or swap so that `word` begins `whole`; at most `most`.
  function slips(word, whole, most) {
    const width = Math.min(whole.length, word.length + most);
    let before = [], last = Array.from({ length: width + 1 }, (_, j) => j);
    for (let i = 1; i <= word.length; i++) {
      const row = [i];
      for (let j = 1; j <= width; j++) {
        const same = word[i - 1] === whole[j - 1] ? 0 : 1;
        row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + same);
        if (i > 1 && j > 1 && word[i - 1] === whole[j - 2] && word[i - 2] === whole[j - 1]) {
          row[j] = Math.min(row[j], before[j - 2] + 1);
        }
      }
      if (Math.min(...row) > most) return most + 1;
      before = last;
      last = row;
    }
    return Math.min(...last);
  }

  // How well a word of the question fits a word: 0 if it does not. Slips count only if asked.
  function fit(word, other, slipping) {
    if (other === word) return 10;
    if (other.startsWith(word)) return 8 - Math.min(3, (other.length - word.length) / 4);
    const most = word.length >= 8 ? 2 : word.length >= 3 ? 1 : 0;
    if (!slipping || most === 0 || other.length < word.length - most) return 0;
    // A short word has its first letter, and is most of the other one.
    if (word.length === 3 && (other[0] !== word[0] || other.length > 4)) return 0;
    const found = slips(word, other, most);
    return found <= most ? 4 - found - Math.min(1, Math.max(0, other.length - word.length - 1) / 8) : 0;
  }

  // How well an entry fits a question: 0 if it does not. With `some`, words that fit nothing are passed over.
  function score(entry, question, slipping, some) {
    const whole = question.join("");
    let sum = entry.joined === whole ? 60 : 0;
    for (const word of question) {
      let best = 0;
      for (const part of entry.name) best = Math.max(best, 3 * fit(word, part, slipping));
      if (entry.joined.startsWith(word)) best = Math.max(best, 30);
      else if (word.length > 2 && entry.joined.includes(word)) best = Math.max(best, 16);
      else best = Math.max(best, 3 * fit(word, entry.joined, slipping));
      for (const part of entry.text) best = Math.max(best, fit(word, part, slipping));
      if (best === 0 && sum < 60 && !some) return 0;
      sum += best;
    }
    if (sum === 0) return 0;
    return sum + (entry.kind === "optimizer" ? 1 : 0) - entry.joined.length / 100;
  }

  function search(text) {
    entries ??= MINIMA.map(([name, kind, href, about]) => ({
      shown: name, kind, href, about, name: words(name.replace(/_/g, " ")), joined: words(name.replace(/_/g, "")).join(""),
      text: [...new Set(words(about))],
    }));
    const question = words(text.replace(/_/g, ""));
    if (question.length === 0) return null;
    const ranked = (slipping, some) => entries.map((entry) => [score(entry, question, slipping, some), entry]).filter(([points]) => points > 0);
    let found = ranked(false, false);
    if (found.length === 0) found = ranked(true, false);
    if (found.length === 0) found = ranked(true, true);
    found.sort((a, b) => b[0] - a[0] || (a[1].shown < b[1].shown ? -1 : 1));
    return found.slice(0, MOST).map(([, entry]) => entry);
  }

  function show() {
    const found = search(box.value);
    list.replaceChildren();
    list.hidden = found === null;
    chosen = -1;
    if (found === null) return;
    for (const entry of found) {
      const item = document.createElement("a");
      item.href = root + entry.href;
      item.setAttribute("role", "option");
      const parts = [["strong", entry.shown], ["span", entry.kind], ["small", entry.about]];
      for (const [tag, text] of parts) {
        const part = document.createElement(tag);
        part.textContent = text;
        item.append(part, " ");
      }
      list.append(item);
    }
    if (found.length === 0) {
      const none = document.createElement("p");
      none.textContent = "Nothing is called so.";
      list.append(none);
    }
    choose(0);
  }

  function choose(at) {
    const items = list.querySelectorAll("a");
    if (items.length === 0) return;
    chosen = (at + items.length) % items.length;
    items.forEach((item, i) => item.setAttribute("aria-selected", i === chosen));
    items[chosen].scrollIntoView({ block: "nearest" });
  }

  box.addEventListener("input", show);
  box.addEventListener("focus", () => { if (box.value) show(); });
  box.addEventListener("keydown", (event) => {
    const items = list.querySelectorAll("a");
    if (event.key === "ArrowDown") choose(chosen + 1);
    else if (event.key === "ArrowUp") choose(chosen - 1);
    else if (event.key === "Enter" && items[chosen]) { items[chosen].click(); close(); }
    else if (event.key === "Escape") { close(); box.blur(); }
    else return;
    event.preventDefault();
  });
  const close = () => { list.hidden = true; };
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      box.focus();
      box.select();
    }
  });
  document.addEventListener("click", (event) => { if (!event.target.closest(".search")) close(); });
})();
