/** Frames of a fit, passed on from the network, which follows the stream, to the inspector of the same page. */

const NAME = "kan-workbench-frame";

export function tellFrame(frame) {
  document.dispatchEvent(new CustomEvent(NAME, { detail: frame }));
}

/** Listen to frames; returns the function that stops listening. */
export function listenToFrames(onFrame) {
  const listener = (event) => onFrame(event.detail);
  document.addEventListener(NAME, listener);
  return () => document.removeEventListener(NAME, listener);
}
