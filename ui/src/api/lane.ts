// A Lane runs tasks one after the other, so that no view has more than one request in
// flight. Urgent tasks, what a person just asked for, go before those that wait.
export class Lane {
  private waiting: Array<() => Promise<void>> = []
  private urgentAhead = 0
  private busy = false

  run<T>(task: () => Promise<T>, urgent = false): Promise<T> {
    return new Promise((resolve, reject) => {
      const job = () => task().then(resolve, reject)
      if (urgent) {
        this.waiting.splice(this.urgentAhead++, 0, job)
      } else {
        this.waiting.push(job)
      }
      void this.next()
    })
  }

  private async next(): Promise<void> {
    if (this.busy) {
      return
    }
    this.busy = true
    for (let job = this.waiting.shift(); job; job = this.waiting.shift()) {
      this.urgentAhead = Math.max(0, this.urgentAhead - 1)
      await job()
    }
    this.busy = false
  }
}
