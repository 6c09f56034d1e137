" Settings for Minima.
if exists('b:did_ftplugin')
  finish
endif
let b:did_ftplugin = 1

setlocal comments=:///,://
setlocal commentstring=//\ %s
setlocal formatoptions-=t formatoptions+=croql
setlocal expandtab shiftwidth=2 softtabstop=2 textwidth=100
setlocal suffixesadd=.opt
setlocal include=^\\s*import
setlocal define=^\\s*\\(fn\\\|objective\\\|optimizer\\\|set\\\|distribution\\\|primitive\\\|type\\)
setlocal makeprg=minima\ check\ %:S
setlocal errorformat=%E%.%#[E%n]\ %trror:\ %m,%W%.%#[E%n]\ %tarning:\ %m,%C%.%#[\ %f:%l:%c\ ]%.%#,%-G%.%#

" Formats the whole buffer by `minima fmt -`; a program with errors stays as it is.
function! s:Format() abort
  let l:view = winsaveview()
  let l:formed = systemlist('minima fmt -', getline(1, '$'))
  if v:shell_error
    echohl WarningMsg
    echomsg 'minima fmt: the program has errors (:make shows them)'
    echohl None
  elseif l:formed !=# getline(1, '$')
    call setline(1, l:formed)
    if line('$') > len(l:formed)
      silent execute (len(l:formed) + 1) . ',$delete _'
    endif
  endif
  call winrestview(l:view)
endfunction
command! -buffer MinimaFormat call s:Format()

" `gggqG` formats the whole program; a part of one is no program.
setlocal formatprg=minima\ fmt\ -

" Formats whenever the program is written, if you so wish: let g:minima_format_on_save = 1
augroup minima_format
  autocmd! * <buffer>
  autocmd BufWritePre <buffer> if get(g:, 'minima_format_on_save', 0) | call s:Format() | endif
augroup END

let b:undo_ftplugin = 'setlocal comments< commentstring< formatoptions< expandtab< shiftwidth<'
      \ . ' softtabstop< textwidth< suffixesadd< include< define< makeprg< errorformat< formatprg<'
      \ . ' | delcommand -buffer MinimaFormat'
      \ . ' | execute "autocmd! minima_format * <buffer>"'
