// Task is what a lane runs. The signal tells it to stop, so that something urgent can
// run: it is begun anew afterwards.
export type Task<T> = (stop: AbortSignal) => Promise<T>

interface Job {
  urgent: boolean
  begin: (stop: AbortSignal) => Promise<void>
}

// A Lane runs tasks one after the other, so that no view has more than one request in
// flight. What a person just asked for is urgent: it goes before those that wait, and
// does not wait for one that reads.
export class Lane {
  private waiting: Job[] = []
  private running?: {urgent: boolean; stop: AbortController}

  run<T>(task: Task<T>, urgent = false): Promise<T> {
    return new Promise((resolve, reject) => {
      const job: Job = {
        urgent,
        begin: stop =>
          task(stop).then(resolve, error => {
            if (stop.aborted) {
              this.add(job)
            } else {
              reject(error)
            }
          }),
      }
      this.add(job)
      if (urgent && this.running && !this.running.urgent) {
        this.running.stop.abort()
      }
      void this.next()
    })
  }

  private add(job: Job): void {
    const after = job.urgent ? this.waiting.findIndex(j => !j.urgent) : -1
    this.waiting.splice(after < 0 ? this.waiting.length : after, 0, job)
  }

  private async next(): Promise<void> {
    if (this.running) {
      return
    }
    for (let job = this.waiting.shift(); job; job = this.waiting.shift()) {
      this.running = {urgent: job.urgent, stop: new AbortController()}
      await job.begin(this.running.stop.signal)
    }
    this.running = undefined
  }
}
