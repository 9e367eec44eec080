// Runs before the first paint: the theme that was chosen on this device, else the system's.
(() => {
  const chosen = localStorage.getItem('lexchat.theme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
})();
