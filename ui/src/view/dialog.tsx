import React, {useEffect, useRef, type ReactNode} from 'react'
import {text} from '../strings'
import {Boundary} from './boundary'
import {focusBack} from './hooks'
import {Icon} from './icon'

// Dialog is the browser's own: it keeps the focus, closes with Escape and stands above
// all of Argo CD, without a portal. What throws in it leaves a way out.
export function Dialog({title, onClose, children, wide}: {title: string; onClose: () => void; children: ReactNode; wide?: boolean}) {
  const dialog = useRef<HTMLDialogElement>(null)
  const close = useRef(onClose)
  close.current = onClose
  useEffect(() => {
    const e = dialog.current!
    const opener = document.activeElement
    const cancel = (event: Event) => {
      event.preventDefault()
      close.current()
    }
    e.addEventListener('cancel', cancel)
    e.showModal()
    // The browser would begin at the button that closes.
    e.querySelector('h2')!.focus()
    return () => {
      e.removeEventListener('cancel', cancel)
      e.close()
      focusBack(opener)
    }
  }, [])
  return (
    <dialog ref={dialog} className={`waybill-dialog${wide ? ' waybill-dialog-wide' : ''}`} aria-label={title} onMouseDown={e => e.target === dialog.current && onClose()} onKeyDown={stopKeys}>
      <div className='waybill-dialog-box'>
        <header>
          <h2 tabIndex={-1}>{title}</h2>
          <button type='button' className='waybill-close' aria-label={text.close} onClick={onClose}>
            <Icon name='cross' />
          </button>
        </header>
        <Boundary>{children}</Boundary>
      </div>
    </dialog>
  )
}

// stopKeys keeps Argo CD's own shortcuts from what is typed here.
const stopKeys = (e: {stopPropagation: () => void}) => e.stopPropagation()
