const gap = 8;

/** Opens a popover below an element, or above it if there is no room. */
export function openAt(anchor: Element, popover: HTMLElement): void {
  if (!popover.matches(':popover-open')) {
    popover.showPopover();
  }
  const { left, top, bottom } = anchor.getBoundingClientRect();
  const { offsetWidth, offsetHeight, style } = popover;
  const isBelow = bottom + offsetHeight + gap <= innerHeight;
  style.left = `${Math.max(gap, Math.min(left, innerWidth - offsetWidth - gap))}px`;
  style.top = `${isBelow ? bottom : Math.max(gap, top - offsetHeight)}px`;
}
