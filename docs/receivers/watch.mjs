// Follows the stream of events with fetch, in a browser or in Node 20, and comes back by itself.
export async function watch({ address, token, last, onEvent, signal, wait = 3000 }) {
  while (!signal?.aborted) {
    try {
      const headers = { Authorization: `Bearer ${token}` };
      if (last !== undefined) headers["Last-Event-ID"] = String(last);
      const response = await fetch(`${address}/api/v1/events/stream`, { headers, signal });
      if (response.status === 401) throw new Error("log in anew");
      if (response.ok) {
        for await (const { event, data, id } of blocks(response.body)) {
          if (event === undefined) await onEvent(JSON.parse(data)); // it comes again if this fails
          if (id !== undefined) last = Number(id); // store it with your work, to go on from there
          if (event === "end" && JSON.parse(data).reason === "token") {
            throw new Error("log in anew");
          }
        }
      }
    } catch (fault) {
      if (signal?.aborted) return last;
      if (fault.message === "log in anew") throw fault;
      console.error(fault);
    }
    await new Promise((done) => setTimeout(done, wait));
  }
  return last;
}

async function* blocks(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      text += value;
      let end;
      while ((end = text.indexOf("\n\n")) >= 0) {
        const lines = text.slice(0, end).split("\n").filter((line) => !line.startsWith(":"));
        text = text.slice(end + 2);
        const block = Object.fromEntries(
          lines.map((line) => line.split(/: (.*)/s, 2)),
        );
        if (block.data !== undefined) yield block;
      }
    }
  } finally {
    await reader.cancel(); // or the connection stays open when somebody leaves the loop
  }
}
