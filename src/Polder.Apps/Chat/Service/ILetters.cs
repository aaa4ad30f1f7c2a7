using Polder.Apps.Bundles;
using Polder.Apps.Bundles.Letters;
using Polder.Identity;

namespace Polder.Apps.Chat;

/// <summary>What the chat needs of the mail-bag; the simulator has another one.</summary>
internal interface ILetters
{
    /// <summary>Posts a letter that will be tried until it has arrived. Throws <see cref="IOException"/> or <see cref="MailRefusedException"/> when nothing was posted.</summary>
    Task<LetterId> PostAsync(PublicKey to, ReadOnlyMemory<byte> body);

    LetterState StateOf(LetterId id);

    /// <summary>The owner saw what this letter brought.</summary>
    void MarkSeen(LetterId id);

    /// <summary>Sets who takes letters: true, it is kept for good.</summary>
    void Receive(Func<Letter, Task<bool>> handler);

    event Action<LetterId>? StateChanged;
}

/// <summary>The mail-bag, for the chat.</summary>
internal sealed class MailbagLetters(Mailbag mailbag) : ILetters
{
    public Task<LetterId> PostAsync(PublicKey to, ReadOnlyMemory<byte> body) => mailbag.PostAsync(to, LetterKinds.Chat, body);
    public LetterState StateOf(LetterId id) => mailbag.StateOf(id);
    public void MarkSeen(LetterId id) => mailbag.MarkSeen(id);
    public void Receive(Func<Letter, Task<bool>> handler) => mailbag.Receive(LetterKinds.Chat, handler);
    public event Action<LetterId>? StateChanged
    {
        add => mailbag.StateChanged += value;
        remove => mailbag.StateChanged -= value;
    }
}

/// <summary>Whom the owner knows, for the chat.</summary>
internal interface IChatPeople
{
    /// <summary>What the owner calls somebody; the short name of the key for a stranger.</summary>
    string NameOf(PublicKey key);
    bool IsContact(PublicKey key);
    bool IsBlocked(PublicKey key);
}
