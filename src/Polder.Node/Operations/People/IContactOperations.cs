namespace Polder.Node.Operations;

/// <summary>
/// The owner's book of people (docs/contacts.md). "Who" is a name that the owner gave, a key, a short name, or the beginning of one of these. Refusals are
/// <see cref="OperationRefusedException"/>, as everywhere.
/// </summary>
public interface IContactOperations
{
    /// <summary>Everybody, and those who wait for the owner's word.</summary>
    Task<ContactBookView> BookAsync(CancellationToken cancellation = default);

    /// <summary>One contact, with what it is trusted.</summary>
    Task<PersonView> ShowAsync(string who, CancellationToken cancellation = default);

    /// <summary>The owner's card, to be shown as a QR code.</summary>
    Task<ContactCardView> CardAsync(CancellationToken cancellation = default);

    /// <summary>Sets what the owner calls itself towards others; empty: nothing.</summary>
    Task<ContactCardView> NameOwnAsync(string name, CancellationToken cancellation = default);

    /// <summary>Adds somebody by what it handed over. An invitation waits for its maker, up to 20 s.</summary>
    Task<PersonAdded> AddAsync(PersonToAdd person, CancellationToken cancellation = default);

    /// <summary>Changes what is known of a contact. Blocking works for strangers too, by their keys.</summary>
    Task<PersonView> ChangeAsync(string who, PersonChange change, CancellationToken cancellation = default);

    /// <summary>Forgets a contact; gives what was known of it.</summary>
    Task<PersonView> RemoveAsync(string who, CancellationToken cancellation = default);

    /// <summary>The owner's word for somebody who waits: accepted, under a name, or sent away.</summary>
    Task<PersonAdded?> AnswerAsync(string key, bool accept, string? name = null, CancellationToken cancellation = default);

    /// <summary>Introduces two contacts to each other.</summary>
    Task<IntroductionView> IntroduceAsync(string who, string to, CancellationToken cancellation = default);

    /// <summary>All contacts as a signed file. <paramref name="shared"/>: names and keys only, for somebody else.</summary>
    Task<byte[]> ExportAsync(bool shared = false, CancellationToken cancellation = default);

    /// <summary>Takes in such a file; the same again changes nothing.</summary>
    Task<ContactsImported> ImportAsync(byte[] file, CancellationToken cancellation = default);

    /// <summary>Makes a code to be said aloud, or, with <paramref name="code"/>, takes one that somebody said. Whoever types the same becomes a verified contact.</summary>
    Task<SpokenView> SpeakAsync(string? code = null, CancellationToken cancellation = default);

    /// <summary>How far the code is.</summary>
    Task<SpokenView> SpokenAsync(CancellationToken cancellation = default);

    /// <summary>Gives the code up.</summary>
    Task<SpokenView> HushAsync(CancellationToken cancellation = default);
}
