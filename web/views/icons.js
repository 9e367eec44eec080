/** Icons of the views that are fetched when they are needed: strokes on a 24 grid. */
export const LATER = {
  trash: 'M5 7h14M10 7V4h4v3m3 0-1 13H8L7 7m3.5 4v5m3-5v5',
  copy: 'M9 9h10v11H9zM5 15V4h10',
  zoom: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13Zm5-1.5L20 20M10.5 8v5M8 10.5h5',
  next: 'm9 5 7 7-7 7',
  print: 'M7 9V4h10v5M7 17H4V9h16v8h-3M7 14h10v6H7z',
  people:
    'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Zm-6.5 9a6.5 6.5 0 0 1 13 0M16 4.5a3.5 3.5 0 0 1 0 6.5' +
    'm2 3a6.5 6.5 0 0 1 3.5 6',
  file: 'M6 3h8l4 4v14H6zM14 3v4h4',
  bill: 'M6 3h12v18l-3-2-3 2-3-2-3 2zM9 8h6M9 12h6',
  turn: 'M19 12a7 7 0 1 1-2-5l2 2m0-5v5h-5',
  unread: 'M4 6h16v12H4zm0 1 8 6 8-6',
};
