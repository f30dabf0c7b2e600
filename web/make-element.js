/**
 * Makes an element; strings among the children become text, never markup.
 *
 * `class`, `data` and `aria` are set by their names, the rest as properties.
 */
export function makeElement(tag, { class: names, data, aria, ...properties } = {}, ...children) {
  const element = document.createElement(tag);
  if (names !== undefined) element.className = names;
  Object.assign(element.dataset, data);
  for (const [name, value] of Object.entries(aria ?? {})) {
    element.setAttribute(`aria-${name}`, value);
  }
  Object.assign(element, properties);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Returns the element of the page with an id. */
export function byId(id) {
  return document.getElementById(id);
}
