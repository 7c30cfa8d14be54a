// Of a page that is only a step on the way to an application (response_mode=form_post): its one form goes on by itself.
document.forms[0].submit();
