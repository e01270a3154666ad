import React, {useState} from 'react'
import {getPromotion} from '../api/calls'
import type {PromotionRecord, Stage} from '../api/wire'
import {text} from '../strings'
import {labelOf, onPromotion} from '../model/actions'
import {openPromotion, phaseName} from '../model/promotion'
import {person, short} from '../model/names'
import {aliasIn} from '../model/stage'
import {useAsk} from './asking'
import {ComparePart, PreviewPart, usePreview} from './consider'
import {useDesk} from './desk'
import {Dialog} from './dialog'
import {useLoad} from './hooks'
import {Age, Button, Notice, ProblemNotice, Skeleton} from './parts'
import {Body} from './promote'
import {PromotionDetails} from './promotion-details'
import {VerdictTree} from './verdict'

type Decision = 'approve' | 'reject' | 'abort'

// Decide is the dialog in which a person approves, rejects or aborts a promotion.
export function Decide({id, what, onClose}: {id: string; what: Decision; onClose: () => void}) {
  const {pipeline, session} = useDesk()
  const open = openPromotion(pipeline, id)
  const loaded = useLoad(open ? '' : id, r => getPromotion(session.caller, pipeline.name, id, r))
  const [kept, keep] = useState<{record: PromotionRecord; stage: Stage}>()
  const asking = useAsk()
  // What was decided on stays in sight after it has left the queue.
  const record = open ? open.record : kept ? kept.record : loaded.value
  const stage = open ? open.stage : kept ? kept.stage : pipeline.stages.find(s => record && s.name === record.stage)
  if (!record || !stage) {
    return (
      <Dialog title={text.promotion.one} onClose={onClose}>
        <Body footer={<Button onClick={onClose}>{text.close}</Button>}>{loaded.problem ? <ProblemNotice problem={loaded.problem} onAgain={loaded.again} /> : <Skeleton rows={4} />}</Body>
      </Dialog>
    )
  }
  const alias = aliasIn(pipeline, stage, record.freight)
  const title =
    what === 'approve'
      ? text.approve.title(alias, stage.name)
      : what === 'reject'
        ? text.decide.rejectTitle(alias, stage.name)
        : record.phase === 'Pending'
          ? text.decide.withdrawTitle(alias, stage.name)
          : text.decide.abortTitle(alias, stage.name)
  const send = (comment: string, preview?: string) => {
    keep({record, stage})
    asking.send(stage, what === 'approve' ? {action: what, promotion: id, comment, preview} : {action: what, promotion: id, comment})
  }
  if (asking.done) {
    return (
      <Dialog title={title} onClose={onClose}>
        <Body footer={<Button kind='primary' onClick={onClose}>{text.close}</Button>}>
          <PromotionDetails id={id} fresh={asking.done} plain />
        </Body>
      </Dialog>
    )
  }
  return (
    <Dialog title={title} onClose={onClose} wide={what === 'approve'}>
      {what === 'approve' ? (
        <Approving record={record} stage={stage} asking={asking} onSend={send} onClose={onClose} />
      ) : (
        <Body footer={<Submit what={what} record={record} stage={stage} asking={asking} onSend={send} onClose={onClose} />}>
          <p>
            {text.promotion.requested(person(record.request.by))}, <Age at={record.request.at} />
          </p>
          {record.request.reason && <q>{record.request.reason}</q>}
          <p>{what === 'reject' ? text.decide.rejectHint : record.phase === 'Pending' ? text.decide.withdrawHint : text.decide.abortHint}</p>
        </Body>
      )}
    </Dialog>
  )
}

interface Deciding {
  record: PromotionRecord
  stage: Stage
  asking: ReturnType<typeof useAsk>
  onSend: (comment: string, preview?: string) => void
  onClose: () => void
}

// Approving shows what is approved: the approval carries the digest of the preview that
// stands on the page.
function Approving(p: Deciding) {
  const preview = usePreview(p.stage, p.record.freight, !!p.record.request.rollback)
  const digest = preview.value ? preview.value.digest : undefined
  const outdated = p.asking.problem && p.asking.problem.type === 'urn:waybill:problem:conflict'
  return (
    <Body
      footer={
        <>
          {preview.value && <p className='waybill-quiet'>{digest ? text.approve.bound(short(digest)) : text.approve.unbound}</p>}
          {outdated && <Button onClick={preview.again}>{text.approve.again}</Button>}
          <Submit {...p} what='approve' digest={digest} why={preview.loading ? text.approve.wait : ''} />
        </>
      }>
      <div className='waybill-consider'>
        <div>
          <PreviewPart preview={preview} />
        </div>
        <div>
          <PromotionDetails id={p.record.id} plain />
          <ComparePart stage={p.stage} freight={p.record.freight} origin={p.record.origin} />
        </div>
      </div>
    </Body>
  )
}

function Submit(p: Deciding & {what: Decision; digest?: string; why?: string}) {
  const {actions, viewer} = useDesk()
  const [comment, setComment] = useState('')
  const offer = onPromotion(actions, viewer, p.record, p.stage).find(o => o.name === p.what)
  const why = p.why || (offer ? offer.why : '')
  const {problem, busy} = p.asking
  return (
    <form
      className='waybill-submit'
      onSubmit={e => {
        e.preventDefault()
        if (!why && !busy) {
          p.onSend(comment.trim(), p.digest)
        }
      }}>
      {problem && <ProblemNotice problem={problem} call='asked' />}
      {problem && problem.verdict && <VerdictTree verdict={problem.verdict} />}
      {!offer && <Notice tone='info'>{text.decide.over(phaseName(p.record))}</Notice>}
      <label>
        <span>
          {text.decide.comment} <em className='waybill-quiet'>({text.optional})</em>
        </span>
        <input className='waybill-input' value={comment} maxLength={1000} onChange={e => setComment(e.target.value)} />
      </label>
      <div className='waybill-actions'>
        <Button onClick={p.onClose}>{text.cancel}</Button>
        {offer && (
          <Button kind={p.what === 'approve' ? 'primary' : 'danger'} submit busy={busy} why={why}>
            {p.what === 'approve' ? (p.digest ? text.approve.submit : text.approve.submitUnbound) : labelOf(p.what, p.record)}
          </Button>
        )}
      </div>
    </form>
  )
}
