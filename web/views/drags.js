/** Files dragged over the window, wherever in it. */

/**
 * Files dragged anywhere over the window.
 * @param {(dragged: boolean) => void} show
 * @param {(files: Iterable<File>) => void} take
 * @returns {() => void}
 */
export function watchDrags(show, take) {
  const carries = (event) =>
    [...(event.dataTransfer?.types ?? [])].includes('Files') && !document.querySelector('dialog[open]');
  const over = (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    show(true);
  };
  const leave = (event) => {
    if (!event.relatedTarget) show(false);
  };
  const drop = (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    show(false);
    take(/** @type {DataTransfer} */ (event.dataTransfer).files);
  };
  addEventListener('dragover', over);
  addEventListener('dragleave', leave);
  addEventListener('drop', drop);
  return () => {
    removeEventListener('dragover', over);
    removeEventListener('dragleave', leave);
    removeEventListener('drop', drop);
  };
}
