namespace Polder.Apps.Contacts;

/// <summary>Why the book was not changed.</summary>
public enum ContactRefusal
{
    /// <summary>It was.</summary>
    None,
    /// <summary>Nobody of that key is in the book.</summary>
    NotAContact,
    /// <summary>This person is in the book already.</summary>
    Already,
    /// <summary>That key is the node's own.</summary>
    OwnKey,
    /// <summary>That key is one that everybody or nobody can sign for.</summary>
    ForgedKey,
    /// <summary>The person is blocked.</summary>
    Blocked,
    /// <summary>A name is empty, too long, or has characters that cannot be seen.</summary>
    BadName,
    /// <summary>Another contact has this name.</summary>
    NameTaken,
    /// <summary>A contact has the name that this key comes with, and another key.</summary>
    OtherKey,
    /// <summary>A note is too long, or all together are.</summary>
    NotesTooLong,
    /// <summary>The book is full.</summary>
    Full,
    /// <summary>Nobody of that key waits for an answer.</summary>
    NoRequest,
    /// <summary>The disk refused.</summary>
    NotKept,
}

/// <summary>Refusals in words.</summary>
public static class ContactRefusals
{
    /// <summary>A sentence for people: what is wrong and what to do.</summary>
    public static string Explain(this ContactRefusal refusal) => refusal switch
    {
        ContactRefusal.None => "Done.",
        ContactRefusal.NotAContact => "This is none of your contacts. See them: polder contact list",
        ContactRefusal.Already => "This person is one of your contacts already.",
        ContactRefusal.OwnKey => "This key is your own. Give it to others; nobody is a contact of himself.",
        ContactRefusal.ForgedKey => "This key is forged: nobody can prove that it is his. Ask for it again, best face to face.",
        ContactRefusal.Blocked => "You blocked this person. Unblock first: polder contact unblock NAME",
        ContactRefusal.BadName => $"A name has 1 to {ContactNames.BytesMax} bytes of letters that can be seen, on one line.",
        ContactRefusal.NameTaken => "Another contact has this name, and names must tell people apart. Choose another.",
        ContactRefusal.OtherKey => "One of your contacts has this name and another key. Either this key is forged, or the person has a second device: ask, compare the numbers, and add it under another name.",
        ContactRefusal.NotesTooLong => $"Notes have at most {ContactBook.NotesBytesMax} bytes for each contact.",
        ContactRefusal.Full => $"The book holds {ContactBook.ContactsMax} people, and it is full. Remove somebody first.",
        ContactRefusal.NoRequest => "Nobody of that key waits for your word any more.",
        ContactRefusal.NotKept => "The disk refused to keep this, so nothing was changed. Is it full?",
        _ => "This was not done.",
    };
}
