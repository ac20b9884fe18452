using ClaimCheck.Contracts;

namespace ClaimCheck.Consumer.Records;

/// <summary>Finds the column of a member: <c>CreatedAt</c> and <c>createdAt</c> are <c>created_at</c>, or <c>createdat</c>.</summary>
internal sealed class ColumnNames(IReadOnlyList<Column> columns, Type type)
{
    public IReadOnlyList<Column> Columns => columns;

    /// <param name="member">The member's name.</param>
    /// <param name="renamed">The name it is given by an attribute, which must then match exactly; or null.</param>
    public int? Find(string member, string? renamed)
    {
        if (renamed is not null)
            return Only(member, name => name == renamed);
        return Only(member, name => string.Equals(name, member, StringComparison.OrdinalIgnoreCase))
            ?? Only(member, name => string.Equals(Plain(name), Plain(member), StringComparison.OrdinalIgnoreCase));
    }

    public RecordMismatchException Missing(string member) => new(
        $"{type.Name}.{member} has no column: the batch has {string.Join(", ", columns.Select(column => column.Name))}. "
        + "Give it a default, or drop it.");

    private static string Plain(string name) => name.Replace("_", "", StringComparison.Ordinal);

    private int? Only(string member, Func<string, bool> isIt)
    {
        int? found = null;
        for (var i = 0; i < columns.Count; i++)
        {
            if (!isIt(columns[i].Name))
                continue;
            if (found is { } first)
            {
                throw new RecordMismatchException(
                    $"{type.Name}.{member} could be column {columns[first].Name} or {columns[i].Name}: name one by [JsonPropertyName].");
            }
            found = i;
        }
        return found;
    }
}
