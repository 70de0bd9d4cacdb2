// The one thing of Node 22 that PostGraphile 5.1 uses and Node 20 lacks: without
// it the server starts, and every query fails.

Promise.withResolvers ??= function withResolvers() {
  let resolve, reject;
  const promise = new this((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
};
