/** From which width on the open event is beside the list, in pixels. */
const wide = 760;

/** Tells whether an element is wide, in whichever window it is: at first, and when that changes. */
export function watchWidth(root: JQuery, tell: (isWide: boolean) => void): void {
  let was: boolean | undefined;
  const look = () => {
    const isWide = root.width()! >= wide;
    if (isWide === was) return;
    was = isWide;
    root.toggleClass("radaro-sidebar-wide", isWide);
    tell(isWide);
  };
  const { ResizeObserver } = root[0]!.ownerDocument.defaultView!;
  new ResizeObserver(look).observe(root[0]!);
  look();
}
