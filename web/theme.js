// Runs before the first paint: the theme that was chosen on this device, else the system's.
(() => {
  try {
    const chosen = localStorage.getItem('lexchat.theme');
    if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
  } catch {
    // Where a browser keeps nothing, nothing was chosen.
  }
})();
