/** Line icons on a grid of 24, drawn by name. Their paths stand in the HTML once, not in the script. */
export const ICON_PATHS = {
  arrowDown: "M12 5v14m-6-6 6 6 6-6",
  arrowUp: "M12 19V5M6 11l6-6 6 6",
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6 6 18",
  compass:
    "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm3.6 5.4-2 5.2-5.2 2 2-5.2 5.2-2Z",
  copy: "M9 9h10v10H9zM5 15V5h10",
  draft: "M4 20h4L19 9l-4-4L4 16v4Z",
  leave: "M10 4H5v16h5M10 12h10m-4-4 4 4-4 4",
  logOut: "M12 4v8M7.5 6.8a7 7 0 1 0 9 0",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  people:
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Zm-6 9c0-3.3 2.7-5.5 6-5.5s6 2.2 6 5.5M16 4.4a3.5 3.5 0 0 1 0 6.2m2 4.4c1.9.8 3 2.5 3 5",
  pin: "M9 4h6l-1 6 3 3H7l3-3-1-6Zm3 9v7",
  plus: "M12 5v14M5 12h14",
  reply: "M10 6 4 12l6 6M4 12h9a7 7 0 0 1 7 7",
  retry: "M19 12a7 7 0 1 1-2.1-5M19 3v4.5h-4.5",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13Zm4.8 11.3L20 20",
  send: "M5 12h13m-5.5-6L19 12l-6.5 6",
  settings: "M4 7h9m5 0h2M4 17h2m5 0h9M15.5 4.5v5M8.5 14.5v5",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
} as const;
