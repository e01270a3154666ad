import React, {Component, type ReactNode} from 'react'
import {text} from '../strings'
import {Icon} from './icon'

// Boundary keeps what throws in the extension from taking Argo CD with it, which has no
// boundary of its own around most extensions. A `quiet` one says little, in the class of
// the host that is given.
export class Boundary extends Component<{children: ReactNode; quiet?: string}, {error?: Error}> {
  state: {error?: Error} = {}

  static getDerivedStateFromError(error: Error) {
    return {error}
  }

  componentDidCatch(error: Error) {
    console.error('waybill:', error)
  }

  render() {
    const {error} = this.state
    if (!error) {
      return this.props.children
    }
    if (this.props.quiet !== undefined) {
      return (
        <span className={`waybill ${this.props.quiet}`} title={`${text.problem.crashed} ${error.message}`}>
          <Icon name='warning' tone='warn' /> {text.product}
        </span>
      )
    }
    return (
      <div className='waybill waybill-crashed' role='alert'>
        <strong>{text.problem.crashed}</strong>
        <code>{String(error.message || error)}</code>
        <button type='button' className='waybill-button waybill-button-plain' onClick={() => this.setState({error: undefined})}>
          {text.tryAgain}
        </button>
      </div>
    )
  }
}
