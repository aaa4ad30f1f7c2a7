namespace Polder.Wire;

/// <summary>A message of a community: its number, and its fields on the wire. A readonly record struct with the byte table in its doc.</summary>
/// <typeparam name="TSelf">The message itself.</typeparam>
public interface IMessage<TSelf> where TSelf : struct, IMessage<TSelf>
{
    /// <summary>The message id, unique in its community.</summary>
    static abstract byte Number { get; }

    /// <summary>Reads the fields. Never throws; a failure is kept by the reader.</summary>
    static abstract TSelf Read(ref WireReader reader);

    /// <summary>Writes the fields. What we send is ours: a message that does not fit throws.</summary>
    void Write(ref WireWriter writer);
}

/// <summary>A message that carries the number by which an answer finds its question.</summary>
public interface ICorrelated
{
    /// <summary>Chosen by the asker, repeated by the answer.</summary>
    ushort Identifier { get; }
}
