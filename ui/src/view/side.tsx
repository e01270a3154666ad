import React, {useEffect, useRef, type ReactNode} from 'react'
import type {Freight} from '../api/wire'
import {text} from '../strings'
import {called} from '../model/names'
import {aliasIn} from '../model/stage'
import {useDesk} from './desk'
import {FreightDetails} from './freight-details'
import {focusBack} from './hooks'
import {Icon} from './icon'
import {Copy, Empty} from './parts'
import {PromotionDetails} from './promotion-details'
import {StageDetails} from './stage-details'
import {WarehouseDetails} from './warehouse-details'

// Side shows what is selected, beside the graph or the list.
export function Side({freight}: {freight: Freight[]}) {
  const {place, pipeline} = useDesk()
  const gone = <Empty title={text.gone} hint={text.goneHint} icon='unknown' />
  if (place.stage) {
    const stage = pipeline.stages.find(s => s.name === place.stage)
    return (
      <Panel of={place.stage} kind={text.promotion.stage} title={place.stage}>
        {stage ? <StageDetails stage={stage} key={stage.name} /> : gone}
      </Panel>
    )
  }
  if (place.warehouse) {
    const warehouse = pipeline.warehouses.find(w => w.name === place.warehouse)
    return (
      <Panel of={place.warehouse} kind={text.stage.warehouse} title={place.warehouse}>
        {warehouse ? <WarehouseDetails warehouse={warehouse} key={warehouse.name} /> : gone}
      </Panel>
    )
  }
  if (place.promotion) {
    return (
      <Panel of={place.promotion} kind={text.promotion.one} title={place.promotion}>
        <PromotionDetails id={place.promotion} key={place.promotion} />
      </Panel>
    )
  }
  if (place.freight) {
    const known = freight.find(f => f.id === place.freight)
    return (
      <Panel of={place.freight} kind={text.freight.one} title={known ? called(known).alias : aliasIn(pipeline, undefined, place.freight)}>
        <FreightDetails id={place.freight} known={known} key={place.freight} />
      </Panel>
    )
  }
  return null
}

// Panel takes the focus when something else is selected, and gives it back.
function Panel({of, kind, title, children}: {of: string; kind: string; title: string; children: ReactNode}) {
  const {go} = useDesk()
  const heading = useRef<HTMLHeadingElement>(null)
  const opener = useRef<Element | null>(null)
  useEffect(() => {
    opener.current = document.activeElement
    heading.current!.focus({preventScroll: true})
  }, [of])
  const close = () => {
    go({stage: '', warehouse: '', freight: '', promotion: ''})
    focusBack(opener.current)
  }
  return (
    <aside className='waybill-side' aria-label={`${kind} ${title}`} onKeyDown={e => e.key === 'Escape' && !(e.target as HTMLElement).closest('dialog') && close()}>
      <header>
        <div>
          <span className='waybill-quiet'>{kind}</span>
          <h2 ref={heading} tabIndex={-1}>
            {title}
          </h2>
        </div>
        <Copy value={window.location.href} label={text.promotion.link} page />
        <button type='button' className='waybill-close' aria-label={text.close} onClick={close}>
          <Icon name='cross' />
        </button>
      </header>
      <div className='waybill-side-body'>{children}</div>
    </aside>
  )
}
