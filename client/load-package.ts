/** Loads a package that the app may have installed; bundlers must not resolve it. */
export function loadPackage(name: string): Promise<unknown> {
  return import(/* webpackIgnore: true */ /* @vite-ignore */ name);
}
