import React, {useMemo} from 'react'
import {sentence} from '../api/problem'
import {text} from '../strings'
import {candidatesOf, filterFreight, freightRow, type FreightRow} from '../model/freight'
import {fullName} from '../model/names'
import {useDesk} from './desk'
import type {FreightLine} from './freight-pages'
import {Icon} from './icon'
import {Age, Chip, Empty, Loading, Notice, ProblemNotice} from './parts'
import {Rows} from './rows'

// FreightStrip is the recent freight above the graph, newest first, as far as it is
// searched for.
export function FreightStrip({query}: {query: string}) {
  const {pipeline, place, go} = useDesk()
  const rows = useMemo(() => {
    const candidates = candidatesOf(pipeline)
    return pipeline.freight.map(f => freightRow(f, candidates))
  }, [pipeline])
  const found = useMemo(() => filterFreight(rows, query, ''), [rows, query])
  if (rows.length === 0) {
    return (
      <div className='waybill-panel'>
        <Icon name='ship' /> <strong>{text.freight.empty}.</strong> <span className='waybill-quiet'>{text.freight.emptyHint}</span>
        {pipeline.warehouses.map(
          w =>
            w.error && (
              <Notice key={w.name} tone='bad' title={`${text.stage.warehouse} ${w.name}`}>
                {sentence(w.error)}
              </Notice>
            ),
        )}
      </div>
    )
  }
  return (
    <ul className='waybill-strip' aria-label={text.freight.recent}>
      {found.length === 0 && <li className='waybill-quiet'>{text.freight.noMatch}</li>}
      {found.map(r => (
        <li key={r.id}>
          <button
            type='button'
            className={`waybill-freight${place.freight === r.id ? ' waybill-card-selected' : ''}`}
            aria-pressed={place.freight === r.id}
            onClick={() => go({freight: place.freight === r.id ? '' : r.id, stage: '', warehouse: '', promotion: ''})}>
            <span className='waybill-card-head'>
              <strong className='waybill-alias' title={fullName(r)}>
                {r.alias}
              </strong>
              <span className='waybill-quiet'>
                <Age at={r.at} />
              </span>
            </span>
            {r.summary && <span className='waybill-alias waybill-quiet'>{r.summary}</span>}
            <Changed row={r} />
            <Where stages={r.stages} passed={r.passed} candidate={r.candidate} most={2} />
          </button>
        </li>
      ))}
    </ul>
  )
}

// Changed is what freight brings, in the words of who wrote it.
function Changed({row}: {row: FreightRow}) {
  const words = [row.subject, row.author].filter(Boolean).join(' · ')
  return words ? (
    <span className='waybill-alias waybill-quiet' title={words}>
      {words}
    </span>
  ) : null
}

function Where({stages, passed, candidate, most}: {stages: string[]; passed: string[]; candidate: boolean; most: number}) {
  const rest = stages.length - most
  return (
    <span className='waybill-card-chips'>
      {stages.slice(0, most).map(s => (
        <Chip key={s} tone='good'>
          {s}
        </Chip>
      ))}
      {rest > 0 && <Chip tone='good' title={stages.slice(most).join(', ')}>+{rest}</Chip>}
      {stages.length === 0 && passed.length > 0 && (
        <Chip title={`${text.freight.was} ${passed.join(', ')}`} icon='check'>
          {passed[passed.length - 1]}
        </Chip>
      )}
      {candidate && stages.length === 0 && <Chip tone='busy'>{text.promote.candidate}</Chip>}
      {stages.length === 0 && passed.length === 0 && !candidate && <span className='waybill-quiet'>{text.freight.nowhere}</span>}
    </span>
  )
}

// FreightTable is all freight of the pipeline.
export function FreightTable({line, query, narrow}: {line: FreightLine; query: string; narrow: boolean}) {
  const {pipeline, place, go} = useDesk()
  const all = useMemo(() => {
    const candidates = candidatesOf(pipeline)
    return line.freight.map(f => freightRow(f, candidates))
  }, [line.freight, pipeline])
  const rows = useMemo(() => filterFreight(all, query, place.of || ''), [all, query, place.of])
  // A row has the height that most of them need.
  const told = all.some(r => r.subject || r.author)
  const lines = (all.some(r => r.summary) ? 1 : 0) + (told ? 1 : 0)
  if (all.length === 0) {
    return <Empty title={text.freight.empty} hint={text.freight.emptyHint} />
  }
  return (
    <>
      {line.problem && <ProblemNotice problem={line.problem} onAgain={line.more} />}
      <Rows
        label={text.freight.all}
        columns={
          narrow
            ? [{title: text.freight.alias, width: '1fr'}]
            : [
                {title: text.freight.alias, width: 'minmax(150px, 1.3fr)'},
                {title: text.freight.artifacts, width: 'minmax(140px, 1.1fr)'},
                ...(told ? [{title: text.freight.change, width: 'minmax(150px, 1.4fr)'}] : []),
                {title: text.freight.where, width: 'minmax(150px, 1.3fr)'},
                {title: text.freight.age, width: '70px'},
              ]
        }
        rows={rows}
        rowHeight={narrow ? 72 + 20 * lines : 56}
        keyOf={r => r.id}
        selected={place.freight}
        onPick={r => go({freight: r.id, stage: '', warehouse: '', promotion: ''})}
        onEnd={line.problem ? undefined : line.more}
        cells={r =>
          narrow
            ? [
                <span className='waybill-narrow-card'>
                  <span className='waybill-card-head'>
                    <strong className='waybill-alias'>{r.alias}</strong>
                    <span className='waybill-quiet'>
                      <Age at={r.at} />
                    </span>
                  </span>
                  {r.summary && <span className='waybill-alias waybill-quiet'>{r.summary}</span>}
                  <Changed row={r} />
                  <Where stages={r.stages} passed={r.passed} candidate={r.candidate} most={3} />
                </span>,
              ]
            : [
                <span className='waybill-narrow-card'>
                  <span>
                    <strong>{r.alias}</strong> <code className='waybill-quiet'>{r.short}</code>
                  </span>
                  {r.summary && <span className='waybill-alias waybill-quiet'>{r.summary}</span>}
                </span>,
                <span className='waybill-card-chips'>
                  {r.artifacts.slice(0, 3).map(a => (
                    <span key={a.kind + a.name + a.pin} className='waybill-quiet' title={`${a.name} ${a.pin}`}>
                      <Icon name={a.kind} label={text.freight[a.kind]} /> {a.version || a.pin.slice(0, 7)}
                    </span>
                  ))}
                </span>,
                ...(told
                  ? [
                      <span className='waybill-narrow-card' title={`${r.subject} ${r.author}`}>
                        <span className='waybill-alias'>{r.subject}</span>
                        <span className='waybill-alias waybill-quiet'>{r.author}</span>
                      </span>,
                    ]
                  : []),
                <Where stages={r.stages} passed={r.passed} candidate={r.candidate} most={3} />,
                <span className='waybill-quiet'>
                  <Age at={r.at} />
                </span>,
              ]
        }>
        {rows.length === 0 && <Empty title={text.freight.noMatch} icon='search' />}
        {line.loading && <Loading />}
      </Rows>
    </>
  )
}
