import React, {useMemo, useRef, useState, type ReactNode} from 'react'
import {getFreight} from '../api/calls'
import type {Stage, Verdict} from '../api/wire'
import {text} from '../strings'
import {holds, onStage, onTheWay} from '../model/actions'
import {requestKey} from '../model/key'
import {nextFor, promotePicks, rollbackPicks, whyNot, type Pick} from '../model/picks'
import {matches} from '../model/search'
import {calledIn} from '../model/stage'
import {useAsk} from './asking'
import {ComparePart, PreviewPart, useConsider, VerdictPart} from './consider'
import {useDesk} from './desk'
import {useFreightLine, type FreightLine} from './freight-pages'
import {useLoad} from './hooks'
import {Age, Button, Chip, Empty, Name, Notice, ProblemNotice, Search} from './parts'
import {PromotionDetails} from './promotion-details'
import {VerdictTree} from './verdict'

// PromoteForm picks freight for a stage, shows what it would change and what it takes,
// and asks for the promotion. With `rollback` it returns to what the stage verified.
export function PromoteForm({stage, pick, rollback, onPick, onClose}: {stage: Stage; pick: string; rollback: boolean; onPick: (id: string) => void; onClose: () => void}) {
  const desk = useDesk()
  const line = useFreightLine(!rollback)
  // What is proposed stays the same: newer freight must not take the place of what a person
  // is looking at.
  const [proposed] = useState(() => (rollback ? (rollbackPicks(stage)[0] || {id: ''}).id : nextFor(desk.pipeline, stage)))
  const chosen = pick || proposed
  // A link may name freight that is older than what is listed.
  const listed = rollback || chosen === '' || line.freight.some(f => f.id === chosen)
  const named = useLoad(listed ? '' : chosen, r => getFreight(desk.session.caller, desk.pipeline.name, chosen, r))
  const freight = useMemo(() => (named.value ? [...line.freight, named.value] : line.freight), [line.freight, named.value])
  const choices = useMemo(() => (rollback ? rollbackPicks(stage) : promotePicks(desk.pipeline, stage, freight)), [rollback, stage, desk.pipeline, freight])
  const [picking, setPicking] = useState(chosen === '')
  const [reason, setReason] = useState('')
  const key = useRef({of: '', key: ''})
  const asking = useAsk()

  if (asking.done) {
    return (
      <Body footer={<Button kind='primary' onClick={onClose}>{text.close}</Button>}>
        <PromotionDetails id={asking.done.id} fresh={asking.done} inDialog />
      </Body>
    )
  }
  const offer = onStage(desk.actions, desk.viewer, stage).find(o => o.name === (rollback ? 'rollback' : 'promote'))
  const submit = (why: string) => {
    if (why || !chosen) {
      return
    }
    // The key stays with the freight, so that a second try is the same request.
    if (key.current.of !== chosen) {
      key.current = {of: chosen, key: requestKey()}
    }
    asking.send(stage, {action: rollback ? 'rollback' : 'promote', stage: stage.name, freight: chosen, reason: reason.trim(), key: key.current.key})
  }
  const picked = choices.find(c => c.id === chosen)
  return (
    <Considering
      stage={stage}
      freight={picking ? '' : chosen}
      origin={picked && picked.origin}
      rollback={rollback}
      head={
        picking ? (
          <Picker
            choices={choices}
            selected={chosen}
            line={rollback ? undefined : line}
            onPick={id => {
              onPick(id)
              setPicking(false)
            }}
          />
        ) : (
          <p className='waybill-picked'>
            <span className='waybill-quiet'>{rollback ? text.rollback.pick : text.promote.picked}</span>
            <strong>
              <Name of={picked || calledIn(desk.pipeline, stage, chosen)} />
            </strong>
            {picked && picked.notes.map(n => <Chip key={n}>{n}</Chip>)}
            <Button kind='quiet' onClick={() => setPicking(true)}>
              {text.promote.change}
            </Button>
          </p>
        )
      }
      foot={(verdict, unseen) => {
        const why = !offer ? '' : offer.why || whyNot({stage, freight: picking ? '' : chosen, rollback, reason, verdict, unseen})
        return (
          <form
            className='waybill-submit'
            onSubmit={e => {
              e.preventDefault()
              submit(why)
            }}>
            {asking.problem && <ProblemNotice problem={asking.problem} call='asked' />}
            {asking.problem && asking.problem.verdict && <VerdictTree verdict={asking.problem.verdict} />}
            <label>
              <span>
                {text.promote.reason} {!rollback && <em className='waybill-quiet'>({text.optional})</em>}
              </span>
              <input className='waybill-input' value={reason} maxLength={1000} placeholder={rollback ? text.rollback.reasonMissing : text.promote.reasonHint} onChange={e => setReason(e.target.value)} />
            </label>
            <div className='waybill-actions'>
              <Button onClick={onClose}>{text.cancel}</Button>
              {offer && (
                <Button kind='primary' submit busy={asking.busy} why={why}>
                  {asking.busy ? text.promote.sending : rollback ? text.rollback.submit : verdict && !verdict.ready ? text.promote.submitWaits : text.promote.submit}
                </Button>
              )}
            </div>
          </form>
        )
      }}
    />
  )
}

function Considering(p: {stage: Stage; freight: string; origin?: string; rollback: boolean; head: ReactNode; foot: (verdict: Verdict | undefined, unseen: boolean) => ReactNode}) {
  const {verdict, preview} = useConsider(p.stage, p.freight, p.rollback)
  const way = onTheWay(p.stage, p.freight)
  return (
    <Body footer={p.foot(verdict.value, preview.loading && !preview.value)}>
      {p.head}
      {way && <Notice tone='warn'>{text.stage[way]}</Notice>}
      {p.freight && !p.rollback && holds(p.stage, p.freight) && <Notice tone='info'>{text.promote.holds}</Notice>}
      {p.freight && (
        <div className='waybill-consider'>
          <div>
            <PreviewPart preview={preview} />
          </div>
          <div>
            <VerdictPart verdict={verdict} />
            {p.origin && <ComparePart stage={p.stage} freight={p.freight} origin={p.origin} />}
          </div>
        </div>
      )}
    </Body>
  )
}

// Body scrolls, and keeps what is to be clicked in sight.
export function Body({children, footer}: {children: ReactNode; footer: ReactNode}) {
  return (
    <>
      <div className='waybill-body'>{children}</div>
      <footer>{footer}</footer>
    </>
  )
}

// Picker lists the choices: those of a line of freight, of which there may be more, or
// those of a rollback.
function Picker({choices, selected, line, onPick}: {choices: Pick[]; selected: string; line?: FreightLine; onPick: (id: string) => void}) {
  const [query, setQuery] = useState('')
  const shown = useMemo(() => choices.filter(c => matches(`${c.alias} ${c.summary} ${c.id} ${c.notes.join(' ')}`, query)), [choices, query])
  const [limit, setLimit] = useState(60)
  const more = line && line.more
  return (
    <div className='waybill-picker'>
      {line ? <Search value={query} onChange={setQuery} label={text.promote.pickSearch} /> : <Notice tone='info'>{text.rollback.hint}</Notice>}
      {choices.length === 0 && <Empty title={line ? text.freight.empty : text.actions.nothingToRollBack} hint={line && text.freight.emptyHint} />}
      <ul aria-label={text.promote.pick}>
        {shown.slice(0, limit).map(c => (
          <li key={c.id}>
            <button type='button' aria-pressed={c.id === selected} onClick={() => onPick(c.id)}>
              <strong>
                <Name of={c} />
              </strong>
              <code>{c.id.slice(0, 7)}</code>
              {c.notes.map(n => (
                <Chip key={n}>{n}</Chip>
              ))}
              <span className='waybill-quiet'>
                <Age at={c.at} />
              </span>
            </button>
          </li>
        ))}
      </ul>
      {choices.length > 0 && shown.length === 0 && <p className='waybill-quiet'>{text.freight.noMatch}</p>}
      {line && line.problem && <ProblemNotice problem={line.problem} />}
      {(shown.length > limit || more) && (
        <Button
          kind='quiet'
          busy={line && line.loading}
          onClick={() => {
            setLimit(n => n + 60)
            if (more && shown.length <= limit) {
              more()
            }
          }}>
          {text.more}
        </Button>
      )}
    </div>
  )
}
