/** Strokes on a 24 grid, of what only calls show. */
export const PHONE = 'M6 3h3l2 5-2.5 1.5a11 11 0 0 0 6 6L16 13l5 2v3a3 3 0 0 1-3 3A15 15 0 0 1 3 6a3 3 0 0 1 3-3Z';
export const CAMERA = 'M3 7h11v10H3zM14 11l7-4v10l-7-4';
export const CAMERA_OFF = 'M3 7h6m5 4 7-4v10m-7-4v4H3V8m0-5 18 18';
export const MICROPHONE = 'M12 15a3 3 0 0 0 3-3V6a3 3 0 0 0-6 0v6a3 3 0 0 0 3 3Zm-6-4a6 6 0 0 0 12 0m-6 6v4';
export const MICROPHONE_OFF = 'M9 9v3a3 3 0 0 0 5 2m1-3V6a3 3 0 0 0-6-1M6 11a6 6 0 0 0 9 5m3-5v1m-6 5v4M3 3l18 18';
export const SCREEN = 'M3 5h18v11H3zM8 20h8m-4-4v4m0-7V8m-2 2 2-2 2 2';
export const HANG_UP = 'M3 15v-2c5-5 13-5 18 0v2l-5 1-1-3a11 11 0 0 0-6 0l-1 3Z';
export const RECORD = 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-6a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z';
export const SETTINGS = 'M4 7h9m4 0h3M4 17h3m4 0h9M15 9a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM9 19a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z';
export const PICTURE = 'M3 5h18v14H3zM12 12h7v5h-7z';
export const MISSED = 'M3 8l6 5 8-8m-5 0h5v5M4 20c5-5 11-5 16 0';
