import React, {useCallback, useEffect, useMemo, useRef, useState} from 'react'
import {listPromotions} from '../api/calls'
import {isAbort, problemOf} from '../api/client'
import type {Problem} from '../api/problem'
import type {Promotion} from '../api/wire'
import {text} from '../strings'
import {phasesOf} from '../model/facts'
import {fullName} from '../model/names'
import {joined} from '../model/pages'
import {filterPromotions, promotionRow} from '../model/promotion'
import {CommitID} from './compare'
import {useDesk} from './desk'
import {useLoad} from './hooks'
import {Age, Chip, Empty, Loading, Name, ProblemNotice, Skeleton} from './parts'
import {PhaseChip} from './promotion-details'
import {Rows} from './rows'

// useHistory asks for the newest promotions again when one begins, waits or ends, and for
// older pages as somebody scrolls to them.
function useHistory(stage: string) {
  const {session, pipeline} = useDesk()
  const first = useLoad(`${stage}@${phasesOf(pipeline)}`, r => listPromotions(session.caller, pipeline.name, stage, '', r), 'promotions ' + stage)
  const [older, setOlder] = useState<{stage: string; items: Promotion[]; next?: string}>()
  const known = useRef<{stage: string; items: Promotion[]}>({stage, items: []})
  const [problem, setProblem] = useState<Problem>()
  const control = useRef<AbortController>()
  useEffect(() => {
    setProblem(undefined)
    return () => {
      if (control.current) {
        control.current.abort()
        control.current = undefined
      }
    }
  }, [stage])
  const mine = older && older.stage === stage ? older : undefined
  const next = mine ? mine.next : first.value && first.value.next
  const more = useCallback(() => {
    if (control.current || !next) {
      return
    }
    const asking = (control.current = new AbortController())
    setProblem(undefined)
    listPromotions(session.caller, pipeline.name, stage, next, {signal: asking.signal}).then(
      fresh => {
        control.current = undefined
        setOlder({stage, items: fresh!.value.items, next: fresh!.value.next})
      },
      error => {
        control.current = undefined
        if (!isAbort(error)) {
          setProblem(problemOf(error))
        }
      },
    )
  }, [session, pipeline.name, stage, next])
  const items = useMemo(() => {
    const before = known.current.stage === stage ? known.current.items : []
    known.current = {stage, items: joined(first.value ? first.value.items : [], [...before, ...(mine ? mine.items : [])])}
    return known.current.items
  }, [stage, first.value, mine])
  return {items, loaded: first.value !== undefined, problem: problem || first.problem, again: problem ? more : first.again, more: next && !problem ? more : undefined}
}

export function History({query, narrow}: {query: string; narrow: boolean}) {
  const {place, go} = useDesk()
  const history = useHistory(place.of || '')
  const all = useMemo(() => history.items.map(p => promotionRow(p)), [history.items])
  const rows = useMemo(() => filterPromotions(all, query, place.phase || ''), [all, query, place.phase])
  if (!history.loaded) {
    return history.problem ? <ProblemNotice problem={history.problem} onAgain={history.again} /> : <Skeleton rows={8} />
  }
  if (all.length === 0) {
    return <Empty title={text.promotion.empty} hint={text.promotion.emptyHint} icon='queue' />
  }
  return (
    <>
      {history.problem && <ProblemNotice problem={history.problem} onAgain={history.again} />}
      <Rows
        label={text.tabs.history}
        columns={
          narrow
            ? [{title: text.promotion.one, width: '1fr'}]
            : [
                {title: text.promotion.one, width: 'minmax(170px, 1.5fr)'},
                {title: text.promotion.phase, width: '110px'},
                {title: text.promotion.by, width: 'minmax(110px, 1fr)'},
                {title: text.promotion.commit, width: '90px'},
                {title: text.promotion.duration, width: '80px'},
                {title: text.promotion.when, width: '60px'},
              ]
        }
        rows={rows}
        rowHeight={narrow ? 72 : 50}
        keyOf={r => r.id}
        selected={place.promotion}
        onPick={r => go({promotion: r.id, stage: '', warehouse: '', freight: ''})}
        onEnd={history.more}
        cells={r => {
          const what = (
            <span className='waybill-card-head'>
              <strong className='waybill-alias' title={fullName(r)}>
                <Name of={r} />
              </strong>
              <span className='waybill-quiet'>→ {r.stage}</span>
            </span>
          )
          const who = r.automatic ? <Chip>{text.promotion.automatic}</Chip> : <span title={r.reason}>{r.by}</span>
          return narrow
            ? [
                <span className='waybill-narrow-card'>
                  {what}
                  <span className='waybill-card-chips'>
                    <PhaseChip view={r} />
                    {r.rollback && <Chip tone='warn'>{text.promotion.rollback}</Chip>}
                    {who}
                    <span className='waybill-quiet'>
                      <Age at={r.at} />
                    </span>
                  </span>
                </span>,
              ]
            : [
                what,
                <>
                  <PhaseChip view={r} />
                </>,
                <span className='waybill-who'>
                  {who} {r.rollback && <Chip tone='warn'>{text.promotion.rollback}</Chip>}
                </span>,
                <span>{r.commits.slice(0, 1).map(c => <CommitID key={c.id} id={c.id} link={c.link} />)}</span>,
                <span className='waybill-quiet'>{r.took}</span>,
                <span className='waybill-quiet'>
                  <Age at={r.at} />
                </span>,
              ]
        }}>
        {rows.length === 0 && <Empty title={text.promotion.noMatch} icon='search' />}
        {history.more && <Loading />}
      </Rows>
    </>
  )
}
