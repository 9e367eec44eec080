/** What the page uses of the vendored Preact with htm. */
export function html(strings: TemplateStringsArray, ...values: any[]): any;
export function render(view: any, parent: Element): void;
export class Component {
  constructor(props?: any);
  props: any;
  state: any;
  setState(change: object): void;
}
export function useState<T>(first: T | (() => T)): [T, (next: T | ((before: T) => T)) => void];
export function useReducer<T>(reduce: (before: T, action: any) => T, first: T): [T, (action: any) => void];
export function useEffect(effect: () => void | (() => void), inputs?: any[]): void;
export function useLayoutEffect(effect: () => void | (() => void), inputs?: any[]): void;
export function useRef<T>(first: T): { current: T };
