using System.Text.Json;

namespace ClaimCheck.Records.Files;

/// <summary>One kind of file: where records end, and what is in one. Holds one record at a time.</summary>
internal abstract class RecordFormat
{
    /// <summary>Goes on looking for the end of a record in what comes next of the file.</summary>
    /// <returns>The place of its line feed, or -1: there is more of it to come.</returns>
    public abstract int FindEnd(ReadOnlySpan<byte> next);

    /// <summary>The record that was looked through last is within quotes.</summary>
    public virtual bool IsOpen => false;

    public abstract bool IsBlank(ReadOnlySpan<byte> record);

    /// <summary>Takes a record, without its line end. It is used until the next one is taken.</summary>
    /// <returns>Null, or what is wrong with it.</returns>
    public abstract RecordFault? Take(ReadOnlyMemory<byte> record);

    /// <returns>A number for <see cref="Get"/>, or -1: the file has no such field.</returns>
    public abstract int Find(string field);

    public abstract SourceValue Get(int field);

    /// <summary>The line of the record that was taken, where the file itself names it.</summary>
    public virtual long? Line => null;

    /// <summary>Writes the fields of the record that was taken, within an object.</summary>
    /// <returns>False where they can't be written.</returns>
    public abstract bool TryWriteFields(Utf8JsonWriter json);

    /// <summary>Writes any record as a value, as it is: who fixes it must find what was there.</summary>
    public abstract void WriteSource(Utf8JsonWriter json, ReadOnlyMemory<byte> record);

    /// <summary>Another one for the same file: each holds a record of its own.</summary>
    public abstract RecordFormat Again();
}
