import React from 'react'
import type {Verdict} from '../api/wire'
import {text} from '../strings'
import {verdictView, type GateView} from '../model/verdict'
import {Countdown, GateIcon, Said} from './parts'

// VerdictTree shows the tree of gates with what is missing.
export function VerdictTree({verdict, asked}: {verdict: Verdict; asked?: boolean}) {
  const view = verdictView(verdict, asked)
  return (
    <div className='waybill-verdict'>
      <p className={`waybill-verdict-head waybill-verdict-${view.state}`}>{view.headline}</p>
      <Gates gates={view.gates} />
    </div>
  )
}

function Gates({gates}: {gates: GateView[]}) {
  return (
    <ul className='waybill-gates'>
      {gates.map(g => (
        <li key={g.key}>
          <div className='waybill-gate'>
            <GateIcon state={g.state} />
            <div>
              <strong>{g.name}</strong>
              {g.any && g.gates.length > 1 && <em> {text.verdict.anyOf}</em>} <Said>{g.fact}</Said>
              {g.until && (
                <>
                  {' '}
                  <Countdown until={g.until} />
                </>
              )}
              {g.remedy && <div className='waybill-remedy'><Said>{g.remedy}</Said></div>}
            </div>
          </div>
          {g.gates.length > 0 && <Gates gates={g.gates} />}
        </li>
      ))}
    </ul>
  )
}
