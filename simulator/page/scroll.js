/** Scrolling of lists that grow at their end: who reads the end stays there, who reads further up is not disturbed. */

const NEAR = 60;

/** Give this as `ref`: starts at the end and follows new entries while the end is in sight. */
export function keepAtEnd(element) {
  let atEnd = true;
  let height = 0;
  const toEnd = () => { element.scrollTop = element.scrollHeight; };
  const pill = document.createElement("button");
  pill.type = "button";
  pill.className = "btn small to-end";
  pill.textContent = "Newest";
  pill.hidden = true;
  pill.addEventListener("click", toEnd);
  element.after(pill);
  element.addEventListener("scroll", () => {
    atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
    pill.hidden = atEnd;
  });
  const grown = () => {
    const before = height;
    height = element.scrollHeight;
    if (atEnd) toEnd();
    // Earlier entries put in above must not push what is being read out of sight.
    else if (element.scrollTop < NEAR && height > before) element.scrollTop += height - before;
  };
  new MutationObserver(grown).observe(element, { childList: true, subtree: true, characterData: true });
  new ResizeObserver(grown).observe(element);
  element.addEventListener("load", grown, true);
  toEnd();
}
