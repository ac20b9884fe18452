namespace ClaimCheck.Consumer.Mapping;

/// <summary>Finds the column of a member: <c>CreatedAt</c> and <c>createdAt</c> are <c>created_at</c>, or
/// <c>createdat</c>.</summary>
internal sealed class ColumnNames(IReadOnlyList<Column> columns, Type type)
{
    private readonly MemberNames names = new([.. columns.Select(column => column.Name)]);

    public IReadOnlyList<Column> Columns => columns;

    /// <param name="member">The member's name.</param>
    /// <param name="renamed">The name that an attribute gives it, which must then match exactly; or null.</param>
    public int? Find(string member, string? renamed)
    {
        var places = renamed is null
            ? names.Find(member)
            : [.. columns.Index().Where(each => each.Item.Name == renamed).Select(each => each.Index)];
        return places.Count switch
        {
            0 => null,
            1 => places[0],
            _ => throw new RecordMismatchException(
                $"{type.Name}.{member} could be column {columns[places[0]].Name} or {columns[places[1]].Name}: name one "
                + "by [JsonPropertyName]."),
        };
    }

    public RecordMismatchException Missing(string member) => new(
        $"{type.Name}.{member} has no column: the batch has {string.Join(", ", columns.Select(column => column.Name))}. "
        + "Give it a default, or drop it.");
}
