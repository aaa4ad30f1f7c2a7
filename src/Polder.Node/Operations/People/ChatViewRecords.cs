namespace Polder.Node.Operations;

/// <summary>A conversation in the list.</summary>
/// <param name="Id">64 hex digits.</param>
/// <param name="Kind">"pair" or "group".</param>
/// <param name="Name">The contact's name, or the group's.</param>
/// <param name="Peer">The other's public key, of two; who brought us in, of a group.</param>
/// <param name="PeerName">What the owner calls it.</param>
/// <param name="Standing">"open", "asked" (an invitation, or a stranger's first word) or "gone".</param>
/// <param name="Unread">Messages of others behind the place up to which the owner has read; 100 stands for 100 and more.</param>
/// <param name="Activity">When something was last said here.</param>
/// <param name="Last">The last of it, in one line.</param>
/// <param name="Members">People in it, the owner included.</param>
/// <param name="SuperApp">Whether it goes by PeerChat of the TrustChain SuperApp.</param>
public sealed record ChatListItem(
    string Id, string Kind, string Name, string? Peer, string? PeerName, string Standing, int Unread, DateTimeOffset Activity, string Last, int Members, bool SuperApp)
{
    /// <summary>How the conversation is named in commands and addresses: the key of the other, or the id of the group.</summary>
    public string Address => Kind == "pair" ? Peer! : Id;
}

/// <summary>What a message answers.</summary>
/// <param name="Id">That message.</param>
/// <param name="FromName">Whose it is.</param>
/// <param name="Text">Its beginning.</param>
public sealed record ChatQuote(string Id, string FromName, string Text);

/// <summary>A file of a message.</summary>
/// <param name="Number">Its place in the message, from 0.</param>
/// <param name="Name">A name that is safe to save it under.</param>
/// <param name="SizeBytes">Its size.</param>
/// <param name="Picture">Whether a browser may draw it: PNG, JPEG, GIF or WebP by its first bytes, not by what anybody says.</param>
/// <param name="Here">Whether all of it is here.</param>
/// <param name="State">In words: "here", "on its way, 40 %", "not fetched", "waits for its sender".</param>
public sealed record ChatFile(int Number, string Name, long SizeBytes, bool Picture, bool Here, string State);

/// <summary>A sign under a message.</summary>
/// <param name="Sign">The sign.</param>
/// <param name="By">Names of those who gave it.</param>
/// <param name="Mine">Whether the owner did.</param>
public sealed record ChatReaction(string Sign, IReadOnlyList<string> By, bool Mine);

/// <summary>Where a message of the owner is.</summary>
/// <param name="Stage">"here", "waiting", "delivered", "seen" or "expired": of all receivers, the one who is least far.</param>
/// <param name="Words">One sentence: "Only here", "Waiting with Carol, a common friend", "Delivered", "Seen".</param>
public sealed record ChatWhere(string Stage, string Words);

/// <summary>One message, or one line about the group.</summary>
/// <param name="Id">64 hex digits.</param>
/// <param name="Kind">"text", "deleted", "unreadable", or "note" for what happened to the group.</param>
/// <param name="From">The author's public key.</param>
/// <param name="FromName">What the owner calls it; "You" for the owner.</param>
/// <param name="Mine">Whether the owner wrote it.</param>
/// <param name="Time">When, by its author's clock.</param>
/// <param name="Text">What it says. Untrusted.</param>
/// <param name="Edited">Whether its author changed it.</param>
/// <param name="Reply">What it answers.</param>
/// <param name="Files">Its files.</param>
/// <param name="Reactions">Signs under it.</param>
/// <param name="Where">Where it is; null for messages of others.</param>
public sealed record ChatMessage(
    string Id, string Kind, string From, string FromName, bool Mine, DateTimeOffset Time, string Text, bool Edited, ChatQuote? Reply,
    IReadOnlyList<ChatFile> Files, IReadOnlyList<ChatReaction> Reactions, ChatWhere? Where);

/// <summary>Somebody in a group.</summary>
/// <param name="PublicKey">Who.</param>
/// <param name="Name">What the owner calls it; "You" for the owner.</param>
/// <param name="Admin">Whether it may change the group.</param>
/// <param name="Self">Whether it is the owner.</param>
public sealed record ChatMember(string PublicKey, string Name, bool Admin, bool Self);

/// <summary>A page of a conversation.</summary>
/// <param name="Conversation">Which.</param>
/// <param name="Messages">The oldest first.</param>
/// <param name="Earlier">Whether there are earlier ones.</param>
/// <param name="Later">Whether there are later ones.</param>
/// <param name="Members">Of a group, by name; empty between two.</param>
/// <param name="Admin">Whether the owner may change the group.</param>
public sealed record ChatPage(
    ChatListItem Conversation, IReadOnlyList<ChatMessage> Messages, bool Earlier, bool Later, IReadOnlyList<ChatMember> Members, bool Admin);

/// <summary>A message that a search found.</summary>
/// <param name="Conversation">Where.</param>
/// <param name="Message">What.</param>
public sealed record ChatFound(ChatListItem Conversation, ChatMessage Message);

/// <summary>A file on this machine that is to be sent.</summary>
/// <param name="Path">Where it lies.</param>
/// <param name="Name">What the others see it called.</param>
public sealed record ChatUpload(string Path, string Name);

/// <summary>The bytes of a file of a message.</summary>
/// <param name="Name">A name that is safe to save it under.</param>
/// <param name="SizeBytes">Its size.</param>
/// <param name="PictureType">The type under which a browser may draw it; null: only to be saved.</param>
/// <param name="CopyAsync">Writes it, every part checked; throws <see cref="OperationRefusedException"/> where a part is not here or is not what its author sealed.</param>
public sealed record ChatFileContent(string Name, long SizeBytes, string? PictureType, Func<Stream, CancellationToken, Task> CopyAsync);
