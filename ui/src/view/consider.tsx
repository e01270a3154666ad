import React from 'react'
import {compareFreight, getPreview} from '../api/calls'
import type {Preview, Stage, Verdict} from '../api/wire'
import {text} from '../strings'
import {Compared} from './compare'
import {useDesk} from './desk'
import {useLoad, type Loaded} from './hooks'
import {Loading, ProblemNotice, Section, Skeleton} from './parts'
import {PreviewDiff} from './preview'
import {VerdictTree} from './verdict'
import {useVerdict} from './verdicts'

// Considered is what a person should know before they decide on freight for a stage.
export interface Considered {
  verdict: Loaded<Verdict>
  preview: Loaded<Preview>
}

// useConsider asks for the verdict first, which is quick, then for the preview.
export function useConsider(stage: Stage, freight: string, rollback: boolean): Considered {
  const verdict = useVerdict(stage, freight, rollback)
  const preview = usePreview(stage, freight, rollback)
  return {verdict, preview}
}

export function usePreview(stage: Stage, freight: string, rollback: boolean): Loaded<Preview> {
  const {session, pipeline} = useDesk()
  return useLoad(freight && `${stage.name} ${freight} ${rollback}`, r => getPreview(session.caller, pipeline.name, stage.name, freight, rollback, r))
}

export function VerdictPart({verdict}: {verdict: Loaded<Verdict>}) {
  return (
    <Section title={text.verdict.title}>
      {verdict.value ? <VerdictTree verdict={verdict.value} /> : verdict.problem ? <ProblemNotice problem={verdict.problem} onAgain={verdict.again} /> : <Skeleton rows={4} />}
    </Section>
  )
}

export function PreviewPart({preview}: {preview: Loaded<Preview>}) {
  return (
    <Section title={text.preview.title}>
      {preview.problem ? <ProblemNotice problem={preview.problem} onAgain={preview.again} /> : preview.value ? <PreviewDiff preview={preview.value} /> : <Loading what={text.preview.loading} />}
    </Section>
  )
}

export function ComparePart({stage, freight, origin}: {stage: Stage; freight: string; origin: string}) {
  const {session, pipeline} = useDesk()
  const held = stage.current.find(l => l.origin === origin)
  const key = held && held.freight !== freight ? `${held.freight} ${freight}` : ''
  const compared = useLoad(key, r => compareFreight(session.caller, pipeline.name, held!.freight, freight, r))
  return (
    <Section title={text.compare.title}>
      {!held && <p className='waybill-quiet'>{text.compare.first}</p>}
      {held && key === '' && <p className='waybill-quiet'>{text.compare.same}</p>}
      {compared.value ? (
        <Compared comparison={compared.value} />
      ) : compared.problem ? (
        <ProblemNotice problem={compared.problem} onAgain={compared.again} />
      ) : (
        key && <Loading what={text.compare.loading} />
      )}
    </Section>
  )
}
