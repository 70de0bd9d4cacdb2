// Monaco ships its workers without types.
declare module '*?worker' {
  const Worker: new () => globalThis.Worker;
  export default Worker;
}
