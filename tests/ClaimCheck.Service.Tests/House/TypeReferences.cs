using System.Collections.Immutable;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using Handles = System.Collections.Generic.IEnumerable<System.Reflection.Metadata.EntityHandle>;

namespace ClaimCheck.Service.Tests.House;

/// <summary>
/// Which types of an assembly use which others, read from its metadata and its IL. What the compiler leaves nothing of (names by
/// <c>nameof</c>, constants) is not seen. Nested types, closures and state machines count as the type that declares them.
/// </summary>
internal sealed class TypeReferences : ISignatureTypeProvider<Handles, object?>
{
    private static readonly Dictionary<int, OperandType> Operands = typeof(OpCodes).GetFields()
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => (int)(ushort)code.Value, code => code.OperandType);

    private readonly PEReader file;
    private readonly MetadataReader metadata;

    private TypeReferences(PEReader file) => (this.file, metadata) = (file, file.GetMetadataReader());

    /// <summary>Both are types of the assembly.</summary>
    public static HashSet<(UsedType User, UsedType Used)> Of(string path) => Read(path, HandleKind.TypeDefinition);

    /// <summary>The used types are those of other assemblies too.</summary>
    public static HashSet<(UsedType User, UsedType Used)> BeyondItself(string path) =>
        Read(path, HandleKind.TypeDefinition, HandleKind.TypeReference);

    private static HashSet<(UsedType User, UsedType Used)> Read(string path, params HandleKind[] kinds)
    {
        using var assembly = new PEReader(File.OpenRead(path));
        var reader = new TypeReferences(assembly);
        return [.. reader.metadata.TypeDefinitions.SelectMany(
            user => reader.UsedBy(user).Where(used => kinds.Contains(used.Kind))
                .Select(used => (reader.NameOf(user), reader.NameOf(used))))];
    }

    private UsedType NameOf(EntityHandle handle)
    {
        if (handle.Kind == HandleKind.TypeDefinition)
            return NameOf((TypeDefinitionHandle)handle);
        var type = metadata.GetTypeReference((TypeReferenceHandle)handle);
        return type.ResolutionScope.Kind == HandleKind.TypeReference
            ? NameOf(type.ResolutionScope)
            : new(metadata.GetString(type.Namespace), metadata.GetString(type.Name));
    }

    private UsedType NameOf(TypeDefinitionHandle handle)
    {
        var type = metadata.GetTypeDefinition(handle);
        while (!type.GetDeclaringType().IsNil)
            type = metadata.GetTypeDefinition(type.GetDeclaringType());
        return new(metadata.GetString(type.Namespace), metadata.GetString(type.Name));
    }

    private Handles UsedBy(TypeDefinitionHandle handle)
    {
        var type = metadata.GetTypeDefinition(handle);
        var attributes = type.GetCustomAttributes()
            .Concat(type.GetMethods().SelectMany(method => metadata.GetMethodDefinition(method).GetCustomAttributes()));
        return
        [
            .. Of(type.BaseType),
            .. type.GetInterfaceImplementations().SelectMany(each => Of(metadata.GetInterfaceImplementation(each).Interface)),
            .. Constraints(type.GetGenericParameters()),
            .. attributes.SelectMany(each => Of(metadata.GetCustomAttribute(each).Constructor)),
            .. type.GetFields().SelectMany(each => metadata.GetFieldDefinition(each).DecodeSignature(this, null)),
            .. type.GetMethods().SelectMany(each => UsedBy(metadata.GetMethodDefinition(each))),
        ];
    }

    private Handles UsedBy(MethodDefinition method)
    {
        Handles signature = [.. Of(method.DecodeSignature(this, null)), .. Constraints(method.GetGenericParameters())];
        if (method.RelativeVirtualAddress == 0)
            return signature;
        var body = file.GetMethodBody(method.RelativeVirtualAddress);
        var locals = body.LocalSignature.IsNil
            ? []
            : metadata.GetStandaloneSignature(body.LocalSignature).DecodeLocalSignature(this, null);
        return
        [
            .. signature,
            .. locals.SelectMany(local => local),
            .. body.ExceptionRegions.SelectMany(region => Of(region.CatchType)),
            .. Tokens(body.GetILBytes()!).SelectMany(token => Of(MetadataTokens.EntityHandle(token))),
        ];
    }

    private Handles Constraints(GenericParameterHandleCollection parameters) =>
        parameters.SelectMany(each => metadata.GetGenericParameter(each).GetConstraints())
            .SelectMany(each => Of(metadata.GetGenericParameterConstraint(each).Type));

    private static IEnumerable<int> Tokens(byte[] code)
    {
        for (var at = 0; at < code.Length;)
        {
            int instruction = code[at++];
            if (instruction == 0xFE)
                instruction = 0xFE00 | code[at++];
            switch (Operands[instruction])
            {
                case OperandType.InlineNone:
                    break;
                case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar:
                    at++;
                    break;
                case OperandType.InlineVar:
                    at += 2;
                    break;
                case OperandType.InlineI8 or OperandType.InlineR:
                    at += 8;
                    break;
                case OperandType.InlineSwitch:
                    at += 4 + (4 * BitConverter.ToInt32(code, at));
                    break;
                case OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType:
                    yield return BitConverter.ToInt32(code, at);
                    at += 4;
                    break;
                default:
                    at += 4;
                    break;
            }
        }
    }

    private Handles Of(EntityHandle handle)
    {
        if (handle.IsNil)
            return [];
        switch (handle.Kind)
        {
            case HandleKind.TypeDefinition or HandleKind.TypeReference:
                return [handle];
            case HandleKind.TypeSpecification:
                return metadata.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(this, null);
            case HandleKind.FieldDefinition:
                var field = metadata.GetFieldDefinition((FieldDefinitionHandle)handle);
                return [field.GetDeclaringType(), .. field.DecodeSignature(this, null)];
            case HandleKind.MethodDefinition:
                var method = metadata.GetMethodDefinition((MethodDefinitionHandle)handle);
                return [method.GetDeclaringType(), .. Of(method.DecodeSignature(this, null))];
            case HandleKind.MethodSpecification:
                var generic = metadata.GetMethodSpecification((MethodSpecificationHandle)handle);
                return [.. Of(generic.Method), .. generic.DecodeSignature(this, null).SelectMany(type => type)];
            case HandleKind.MemberReference:
                var member = metadata.GetMemberReference((MemberReferenceHandle)handle);
                var signature = member.GetKind() == MemberReferenceKind.Field
                    ? member.DecodeFieldSignature(this, null)
                    : Of(member.DecodeMethodSignature(this, null));
                return [.. Of(member.Parent), .. signature];
            default:
                return [];
        }
    }

    private static Handles Of(MethodSignature<Handles> signature) =>
        signature.ReturnType.Concat(signature.ParameterTypes.SelectMany(type => type));

    // Parameters of generics are nobody's; all others are what they are made of.
    Handles ISimpleTypeProvider<Handles>.GetPrimitiveType(PrimitiveTypeCode typeCode) => [];

    Handles ISimpleTypeProvider<Handles>.GetTypeFromDefinition(
        MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) => [handle];

    Handles ISimpleTypeProvider<Handles>.GetTypeFromReference(
        MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) => [handle];

    Handles ISZArrayTypeProvider<Handles>.GetSZArrayType(Handles elementType) => elementType;

    Handles IConstructedTypeProvider<Handles>.GetArrayType(Handles elementType, ArrayShape shape) => elementType;

    Handles IConstructedTypeProvider<Handles>.GetByReferenceType(Handles elementType) => elementType;

    Handles IConstructedTypeProvider<Handles>.GetGenericInstantiation(
        Handles genericType, ImmutableArray<Handles> typeArguments) =>
        genericType.Concat(typeArguments.SelectMany(type => type));

    Handles IConstructedTypeProvider<Handles>.GetPointerType(Handles elementType) => elementType;

    Handles ISignatureTypeProvider<Handles, object?>.GetFunctionPointerType(MethodSignature<Handles> signature) => Of(signature);

    Handles ISignatureTypeProvider<Handles, object?>.GetGenericMethodParameter(object? genericContext, int index) => [];

    Handles ISignatureTypeProvider<Handles, object?>.GetGenericTypeParameter(object? genericContext, int index) => [];

    Handles ISignatureTypeProvider<Handles, object?>.GetModifiedType(Handles modifier, Handles unmodifiedType, bool isRequired) =>
        unmodifiedType;

    Handles ISignatureTypeProvider<Handles, object?>.GetPinnedType(Handles elementType) => elementType;

    Handles ISignatureTypeProvider<Handles, object?>.GetTypeFromSpecification(
        MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
        reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);
}

/// <summary>A type by its name.</summary>
internal readonly record struct UsedType(string Namespace, string Name);
